import { Chance } from './chance.js';
import { Enumerator, Fixed, Pct, Uniform, type Chooser } from './choosers.js';
import { without, type Program } from './program.js';
import { runSchedule, type RunResult, type Step } from './run-schedule.js';
import type { Broken } from './stage.js';
import type { JournalEvent } from '../../core/index.js';

/** The shortest way found to break a law. */
export interface Counterexample {
  readonly program: string;
  readonly broken: Broken;
  readonly seed: number;
  /** The statements that are left, by thread. */
  readonly threads: Program['threads'];
  /** Who went, whenever there was a choice. */
  readonly choices: readonly number[];
  readonly timeline: readonly Step[];
  readonly events: readonly JournalEvent[];
}

/** How many schedules a shorter program gets to fail as the longer one did. */
const TRIES = 300;
/** And the shortest program, to fail with the fewest turns. */
const POLISH = 2000;

/** Leaves out whatever statements the failure does not need, then looks for its shortest schedule. */
export async function shrink(
  whole: Program,
  failure: RunResult,
  seed: number,
): Promise<Counterexample> {
  const { broken } = failure;
  let program = whole;
  let best = failure;
  for (let shorter = true; shorter;) {
    shorter = false;
    for (const [t, { statements }] of program.threads.entries()) {
      for (let s = statements.length - 1; s >= 0; s--) {
        const candidate = without(program, t, s);
        const found = await failing(candidate, broken!, TRIES, seed);
        if (found === undefined) continue;
        [program, best, shorter] = [candidate, found, true];
      }
    }
  }
  const shortest = await failing(program, broken!, POLISH, seed, true);
  if (shortest !== undefined && turns(shortest) <= turns(best)) best = shortest;
  const told = await runSchedule(program, new Fixed(best.choices), { reading: true });
  return {
    program: whole.name,
    broken: told.broken ?? best.broken!,
    seed,
    threads: program.threads,
    choices: best.choices,
    timeline: told.timeline,
    events: told.stage.journal.events,
  };
}

/** A schedule that breaks the law: the first found, or of all tried the shortest. */
async function failing(
  program: Program,
  broken: Broken,
  tries: number,
  seed: number,
  shortest = false,
): Promise<RunResult | undefined> {
  let best: RunResult | undefined;
  const enumerator = new Enumerator();
  const chance = new Chance(seed);
  let more = true;
  for (let i = 0; i < tries && more; i++) {
    const sampled =
      i % 4 === 1 ? new Uniform(chance) : i % 4 === 3 ? new Pct(chance, 12) : undefined;
    const chooser: Chooser = sampled ?? enumerator;
    const result = await runSchedule(program, chooser);
    if (sampled === undefined) more = enumerator.next();
    if (result.broken === undefined || !alike(result.broken, broken)) continue;
    if (best === undefined || turns(result) < turns(best)) best = result;
    if (!shortest) return best;
  }
  return best;
}

/** Whether it is the same thing that is wrong, if in other places. */
function alike(a: Broken, b: Broken): boolean {
  const shape = ({ detail }: Broken): string => detail.replaceAll(/\d+/g, '#');
  return a.law === b.law && shape(a) === shape(b);
}

/** Fewer turns first, then fewer choices that are not the first. */
function turns({ steps, choices }: RunResult): number {
  return steps * 1000 + choices.filter((choice) => choice > 0).length;
}
