import { explore, type Exploration, type ExploreOptions } from './explore.js';
import { program, type Program, type ProgramSpec } from './program.js';

/** How often the outcome comes about: in no schedule, in some and not in others, in every one. */
export type Verdict = 'never' | 'sometimes' | 'always';

export interface LitmusSpec<W> extends Required<Pick<ProgramSpec<W>, 'law' | 'says' | 'seen'>> {
  readonly setUp: ProgramSpec<W>['setUp'];
  readonly threads: ProgramSpec<W>['threads'];
}

/** A small program and an outcome; what its file is called says how often that may be. */
export interface Litmus {
  readonly law: number;
  readonly says: string;
  program(name: string, verdict: Verdict): Program;
}

export function litmus<W>(spec: LitmusSpec<W>): Litmus {
  return {
    law: spec.law,
    says: spec.says,
    program: (name, verdict) => program({ ...spec, name, never: verdict === 'never' }),
  };
}

/** A litmus test as its file has it. */
export interface NamedLitmus extends Litmus {
  readonly name: string;
  readonly verdict: Verdict;
}

export interface LitmusResult extends Exploration {
  readonly verdict: Verdict;
  /** Why the verdict is wrong; undefined when it is right. */
  readonly wrong: string | undefined;
}

/** Runs it through all its interleavings. */
export async function checkLitmus(
  { name, verdict, ...litmus }: NamedLitmus,
  options: ExploreOptions = {},
): Promise<LitmusResult> {
  const result = await explore(litmus.program(name, verdict), { runs: 1e6, ...options });
  return { ...result, verdict, wrong: whyWrong(verdict, litmus.says, result) };
}

function whyWrong(
  verdict: Verdict,
  says: string,
  { counterexample, exhaustive, schedules, seen }: Exploration,
): string | undefined {
  if (counterexample !== undefined) return counterexample.broken.detail;
  if (!exhaustive) return `${schedules} interleavings are not all of them`;
  const missed = schedules - seen;
  if (verdict === 'sometimes' && seen === 0) return `never in ${schedules}: ${says}`;
  if (verdict === 'sometimes' && missed === 0) return `always in ${schedules}: ${says}`;
  if (verdict === 'always' && missed > 0) return `not in ${missed} of ${schedules}: ${says}`;
  return undefined;
}
