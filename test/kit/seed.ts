/** Of random programs, unless they are given another. */
export const DEFAULT_SEED = 20220118;

/** Set MEMFILE_SEED and MEMFILE_RUNS to look further, or to repeat what a failure printed. */
export function fromEnvironment(name: 'MEMFILE_SEED' | 'MEMFILE_RUNS'): number | undefined {
  const value = globalThis.process?.env[name];
  return value === undefined ? undefined : Number(value);
}

export const SEED = fromEnvironment('MEMFILE_SEED') ?? DEFAULT_SEED;
