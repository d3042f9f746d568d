import {
  checkLitmus,
  explore,
  storm,
  type Exploration,
  type NamedLitmus,
  type Program,
} from '../../test/explore/index.js';
import { allLitmus } from '../../test/litmus/index.js';

/** What `memfile explore` answers, as `--json` prints it. */
export interface ExploreReport {
  readonly seed: number;
  readonly programs: readonly ProgramReport[];
  readonly schedules: number;
  readonly ms: number;
  readonly schedulesPerSecond: number;
  /** Whether every law held in all that was tried. */
  readonly ok: boolean;
}

export interface ProgramReport extends Exploration {
  /** Of a litmus test. */
  readonly verdict?: string;
  /** How many programs these were, of storms. */
  readonly storms?: number;
  readonly wrong: string | undefined;
}

export interface ExploreLimits {
  readonly seed: number;
  readonly runs: number;
  readonly timeMs: number | undefined;
  /** Called often, with what has been tried so far; false stops. */
  readonly onProgress: (schedules: number, program: string) => boolean;
}

export const STORM = 'storm';
/** Schedules of one storm before the next. */
const OF_ONE_STORM = 60;

export async function programNames(): Promise<string[]> {
  const litmus = await allLitmus();
  return [...litmus.map(({ name, verdict }) => `${name} (${verdict})`), `${STORM} (from a seed)`];
}

/** The program that a counterexample names. */
export async function programByName(name: string): Promise<Program | undefined> {
  const [, seed] = /^storm (\d+)$/.exec(name) ?? [];
  if (seed !== undefined) return storm(Number(seed));
  const litmus = (await allLitmus()).find((litmus) => litmus.name === name);
  return litmus?.program(name, litmus.verdict);
}

/** Every litmus test whole, then storms; or one program; until something is wrong. */
export async function explorePrograms(
  name: string | undefined,
  limits: ExploreLimits,
): Promise<ExploreReport> {
  const { seed, runs, timeMs = Infinity, onProgress } = limits;
  const started = performance.now();
  const left = (): number => timeMs - (performance.now() - started);
  const programs: ProgramReport[] = [];
  let before = 0;
  let stopped = false;
  const watch =
    (program: string) =>
    (schedules: number): boolean => {
      stopped ||= !onProgress(before + schedules, program);
      return !stopped;
    };
  const add = (report: ProgramReport): void => {
    programs.push(report);
    before += report.schedules;
  };
  const chosen = (litmus: NamedLitmus): boolean => name === undefined || litmus.name === name;
  for (const litmus of (await allLitmus()).filter(chosen)) {
    if (stopped || left() <= 0 || programs.some(failed)) break;
    const result = await checkLitmus(litmus, {
      seed,
      timeMs: left(),
      onProgress: watch(litmus.name),
    });
    // Cut short is not wrong.
    const cut = !result.exhaustive && result.counterexample === undefined;
    add({ ...result, wrong: cut ? undefined : result.wrong });
  }
  if ((name === undefined || name === STORM) && !programs.some(failed) && !stopped) {
    const storms = new Storms(seed);
    const enough = (): boolean =>
      stopped ||
      failed(storms.report) ||
      (timeMs === Infinity ? storms.schedules >= runs : left() <= 0);
    do await storms.next(watch(STORM));
    while (!enough());
    add(storms.report);
  }
  const ms = performance.now() - started;
  return {
    seed,
    programs,
    schedules: before,
    ms,
    schedulesPerSecond: Math.round((before / ms) * 1000),
    ok: !programs.some(failed),
  };
}

function failed({ wrong }: ProgramReport): boolean {
  return wrong !== undefined;
}

/** One storm after the other, told as one program. */
class Storms {
  report: ProgramReport;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.report = {
      program: STORM,
      law: 1,
      seed,
      storms: 0,
      schedules: 0,
      exhaustive: false,
      estimate: Infinity,
      seen: 0,
      steps: 0,
      ms: 0,
      foundAfter: undefined,
      counterexample: undefined,
      wrong: undefined,
    };
  }

  get schedules(): number {
    return this.report.schedules;
  }

  async next(onProgress: (schedules: number) => boolean): Promise<void> {
    const { storms = 0, schedules, steps, ms } = this.report;
    const seed = this.#seed + storms;
    const result = await explore(storm(seed), { seed, runs: OF_ONE_STORM });
    const foundAfter = result.foundAfter && schedules + result.foundAfter;
    this.report = {
      ...result,
      program: STORM,
      seed: result.counterexample === undefined ? this.#seed : seed,
      storms: storms + 1,
      schedules: schedules + result.schedules,
      exhaustive: false,
      estimate: Infinity,
      steps: Math.max(steps, result.steps),
      ms: ms + result.ms,
      foundAfter,
      wrong: result.counterexample?.broken.detail,
    };
    onProgress(this.schedules);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
