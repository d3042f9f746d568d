import fc from 'fast-check';
import { program, type Program } from './program.js';

/** Set MEMFILE_SEED and MEMFILE_RUNS to look further, or to repeat what a failure printed. */
export const SEED = Number(process.env['MEMFILE_SEED'] ?? 20220118);
export const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 1500);

/** Fails with the shortest program found for which `broken` answers anything. */
export async function checkLaw(
  broken: (program: Program) => Promise<readonly unknown[]>,
  runs: number = RUNS,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(program, async (steps) => {
      const found = await broken(steps);
      if (found.length > 0) throw new Error(found.map((item) => JSON.stringify(item)).join('\n'));
    }),
    { seed: SEED, numRuns: runs },
  );
}

export const named = (law: string): string => `${law} (${RUNS} programs, seed ${SEED})`;
