import fc from 'fast-check';
import { lawTitle } from '../model/laws.js';
import { DEFAULT_SEED, fromEnvironment } from './seed.js';
import { anyCommand, vitestCommand, vitestFunctions, type TestFunctions } from './runner.js';

/** What every part of the kit takes. */
export interface KitOptions {
  /** `describe` and `it`; those of vitest by default. */
  readonly test?: TestFunctions | undefined;
  /** Of the random programs; `MEMFILE_SEED` goes before it. */
  readonly seed?: number | undefined;
  /** How many random programs each law is tried with; `MEMFILE_RUNS` goes before it. */
  readonly runs?: number | undefined;
  /** How to run the tests again whose full name contains `name`; vitest's way, if it is vitest. */
  readonly command?: ((name: string) => string) | undefined;
}

/** One way to see whether a law holds. */
export interface Check<Program> {
  readonly law: number;
  /** What of the law, where it is not all of it. */
  readonly what?: string | undefined;
  readonly programs: fc.Arbitrary<Program>;
  /** At most so many programs; those who play no random ones need one. */
  readonly runs?: number | undefined;
  /** A program, one line for each step. */
  show(program: Program): readonly string[];
  /** What is broken after this program; nothing when the law holds. */
  broken(program: Program): Promise<readonly string[]>;
  /** The same program with one step less, in every way. */
  shorter?(program: Program): readonly Program[];
  /** Why it does not apply to this subject; undefined when it does. */
  skip?(): Promise<string | undefined>;
}

/** A check that always does the same, in these steps. */
export function fixed(
  check: Pick<Check<unknown>, 'law' | 'what' | 'skip'>,
  steps: readonly string[],
  broken: () => Promise<readonly string[]>,
): Check<readonly string[]> {
  return { ...check, runs: 1, programs: fc.constant(steps), show: (steps) => steps, broken };
}

/** Shrinking takes its time. */
const TIMEOUT_MS = 120_000;
const SHOWN = 3;

/** A law was seen broken; the message says by what and how to see it again. */
export class LawBroken extends Error {
  override readonly name = 'LawBroken';
  readonly law: number;

  constructor(law: number, message: string) {
    super(message);
    this.law = law;
  }
}

/** Defines one test for each check, in a group of the subject's name. */
export function describeChecks(
  subject: string,
  checks: readonly Check<unknown>[],
  options: KitOptions,
): void {
  const { describe, it } = options.test ?? vitestFunctions();
  const { command = options.test === undefined ? vitestCommand : anyCommand } = options;
  const seed = fromEnvironment('MEMFILE_SEED') ?? options.seed ?? DEFAULT_SEED;
  const asked = fromEnvironment('MEMFILE_RUNS') ?? options.runs ?? 100;
  describe(subject, () => {
    for (const check of checks) {
      const runs = Math.min(asked, check.runs ?? asked);
      const title = lawTitle(check.law) + (check.what === undefined ? '' : `, ${check.what}`);
      const programs = runs === 1 ? '1 program' : `${runs} programs`;
      const run = async (...[context]: Parameters<Parameters<TestFunctions['it']>[1]>) => {
        const why = await check.skip?.();
        if (why !== undefined) context?.skip?.(why);
        else await tryLaw(check, `${subject} ${title}`, { seed, runs, command });
      };
      it(`${title} (${programs}, seed ${seed})`, run, TIMEOUT_MS);
    }
  });
}

interface Trial {
  readonly seed: number;
  readonly runs: number;
  readonly command: (name: string) => string;
}

/** @throws LawBroken with the shortest program found that breaks the law. */
export async function tryLaw<Program>(
  check: Check<Program>,
  name: string,
  { seed, runs, command }: Trial,
): Promise<void> {
  const property = fc.asyncProperty(check.programs, async (program) => {
    const found = await broken(check, program);
    if (found.length > 0) throw new Error(found.join('\n'));
  });
  const result = await fc.check(property, { seed, numRuns: runs });
  if (!result.failed) return;
  const { program, found } = await shortest(check, result.counterexample![0]);
  const steps = check.show(program);
  const more = found.length > SHOWN ? [`… and ${found.length - SHOWN} more`] : [];
  const lines = [
    `${lawTitle(check.law)}: broken`,
    ...[...new Set(found)].slice(0, SHOWN).map((detail) => `  ${detail}`),
    ...more.map((line) => `  ${line}`),
    `the shortest program found that breaks it (program ${result.numRuns} of ${runs}):`,
    ...steps.map((step, i) => `  ${i + 1}. ${step}`),
    `seed ${seed}; run it again with`,
    `  MEMFILE_SEED=${seed} MEMFILE_RUNS=${result.numRuns} ${command(name)}`,
  ];
  throw new LawBroken(check.law, lines.join('\n'));
}

/** What is broken; a program that fails to run breaks its law too. */
async function broken<Program>(
  check: Check<Program>,
  program: Program,
): Promise<readonly string[]> {
  try {
    return await check.broken(program);
  } catch (error) {
    return [`the program failed: ${thrown(error)}`];
  }
}

/** fast-check leaves steps that are not needed at the end: no step can be left out of this one. */
async function shortest<Program>(
  check: Check<Program>,
  program: Program,
): Promise<{ readonly program: Program; readonly found: readonly string[] }> {
  for (const shorter of check.shorter?.(program) ?? []) {
    if ((await broken(check, shorter)).length > 0) return shortest(check, shorter);
  }
  return { program, found: await broken(check, program) };
}

/** What was thrown, and where. */
function thrown(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').match(/^ +at .*$/gm) : null;
  return [String(error), ...(frames ?? []).slice(0, 2)].join('\n');
}
