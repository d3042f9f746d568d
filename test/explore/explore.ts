import { Chance } from './chance.js';
import { Enumerator, Pct, Uniform, type Chooser } from './choosers.js';
import { type Program } from './program.js';
import { runSchedule, type RunResult } from './run-schedule.js';
import { shrink, type Counterexample } from './shrink.js';

export interface ExploreOptions {
  /** What the samples of a large program follow from; 1 by default. */
  readonly seed?: number | undefined;
  /** How many schedules at most; 100,000 by default. */
  readonly runs?: number | undefined;
  /** For how long at most, in milliseconds. */
  readonly timeMs?: number | undefined;
  /** Called now and then; false stops. */
  readonly onProgress?: ((schedules: number) => boolean | void) | undefined;
}

/** What became of exploring a program. */
export interface Exploration {
  readonly program: string;
  readonly law: number;
  readonly seed: number;
  readonly schedules: number;
  /** Whether these were all that there are. */
  readonly exhaustive: boolean;
  /** About how many there are. */
  readonly estimate: number;
  /** In how many of them the outcome that the program looks for came about. */
  readonly seen: number;
  /** The turns of the longest. */
  readonly steps: number;
  readonly ms: number;
  /** How many schedules it took to find that a law is broken. */
  readonly foundAfter: number | undefined;
  readonly counterexample: Counterexample | undefined;
}

const PROBES = 40;
/** Between two looks at the clock, and at what else there is to do. */
const BATCH = 512;
const REPLAY_EVERY = 64;
/** The estimate may be off by this much. */
const MARGIN = 4;

/**
 * Runs a program in every order of its turns, or in a sample of them when there are too many: half
 * with equal chance for everybody, half by priorities. What breaks a law is made as short as it
 * gets.
 */
export async function explore(
  program: Program,
  options: ExploreOptions = {},
): Promise<Exploration> {
  quiet();
  try {
    return await exploration(program, options);
  } finally {
    loud();
  }
}

let explorations = 0;
let stackTraceLimit = 0;

/** Nobody reads where an error of one schedule in a million comes from, and finding out is slow. */
function quiet(): void {
  if (explorations++ > 0) return;
  ({ stackTraceLimit } = Error);
  Error.stackTraceLimit = 0;
}

/** The last one under way puts back what the first one found. */
function loud(): void {
  if (--explorations === 0) Error.stackTraceLimit = stackTraceLimit;
}

async function exploration(program: Program, options: ExploreOptions): Promise<Exploration> {
  const { seed = 1, runs = 100_000, timeMs = Infinity, onProgress } = options;
  const started = performance.now();
  const chance = new Chance(seed);
  let [schedules, seen, steps, estimate] = [0, 0, 0, 0];
  let failure: RunResult | undefined;

  /** Answers whether to go on. */
  const run = (chooser: Chooser): Promise<boolean> => {
    const checkReplay = schedules++ % REPLAY_EVERY === 0;
    return runSchedule(program, chooser, { checkReplay }).then(over);
  };
  const over = (result: RunResult): boolean | Promise<boolean> => {
    if (result.seen) seen++;
    if (result.steps > steps) steps = result.steps;
    if (result.broken !== undefined) failure = result;
    if (failure !== undefined) return false;
    return schedules % BATCH === 0 ? pause() : true;
  };
  const pause = async (): Promise<boolean> => {
    // Lets signals and timers through.
    await new Promise((resolve) => setImmediate(resolve));
    return onProgress?.(schedules) !== false && performance.now() - started < timeMs;
  };

  let going = true;
  for (let i = 0; i < PROBES && going; i++) {
    const probe = new Uniform(chance);
    going = await run(probe);
    estimate += probe.weight / PROBES;
  }
  let exhaustive = false;
  if (going && estimate <= runs) {
    schedules = seen = 0;
    const enumerator = new Enumerator();
    let more = true;
    for (let left = runs * MARGIN; going && more && left > 0; left--) {
      going = await run(enumerator);
      more = enumerator.next();
    }
    exhaustive = going && !more;
    if (exhaustive) estimate = schedules;
  }
  for (let left = exhaustive ? 0 : runs - schedules; going && left > 0; left--) {
    const sampler = left % 2 === 0 ? new Uniform(chance) : new Pct(chance, Math.max(steps, 4));
    going = await run(sampler);
  }
  const ms = performance.now() - started;
  const foundAfter = failure === undefined ? undefined : schedules;
  const counterexample = failure && (await shrink(program, failure, seed));
  return {
    program: program.name,
    law: program.law,
    seed,
    schedules,
    exhaustive,
    estimate: Math.round(estimate),
    seen,
    steps,
    ms,
    foundAfter,
    counterexample,
  };
}
