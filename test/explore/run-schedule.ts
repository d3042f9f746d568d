import { MemfileError } from '../../core/index.js';
import type { Chooser } from './choosers.js';
import { AGAIN, type Program } from './program.js';
import { Stage, type Broken } from './stage.js';

/** One turn, as a timeline shows it. */
export interface Step {
  readonly actor: string;
  readonly label: string;
  readonly notes: string[];
}

export interface RunResult {
  readonly broken: Broken | undefined;
  /** Whether the outcome that the program looks for came about. */
  readonly seen: boolean;
  /** How many turns it took. */
  readonly steps: number;
  /** With `reading`: what happened in each. */
  readonly timeline: readonly Step[];
  readonly choices: readonly number[];
  readonly stage: Stage;
}

export interface RunOptions {
  /** Keep a timeline. */
  readonly reading?: boolean;
  readonly checkReplay?: boolean;
}

/** No program goes on for longer than this without going in circles. */
const MAX_STEPS = 500;
/** More microtasks than any chain of promises between two turns is long. */
const TICKS = 5;
const MANY_TICKS = 60;

/** Runs a program once, in the order that `chooser` decides. */
export async function runSchedule(
  program: Program,
  chooser: Chooser,
  { reading = false, checkReplay = false }: RunOptions = {},
): Promise<RunResult> {
  const stage = new Stage(reading);
  const { threads } = program;
  const running = await program.start(stage);
  stage.made();
  stage.notes?.splice(0);
  const at = threads.map(() => 0);
  const waiting = threads.map(() => false);
  const timeline: Step[] = [];
  const choices: number[] = [];
  /** Who could go: threads first, in their order, then what is suspended, oldest first. */
  let actors: number[] = [];
  let runnable = 0;
  let steps = 0;

  const failed = (error: unknown): void => {
    stage.note(`answers ${error instanceof MemfileError ? error.code : String(error)}`);
    if (!(error instanceof MemfileError)) stage.breaks(11, `unexpected ${String(error)}`);
  };
  const advance = (thread: number, result: unknown): void => {
    waiting[thread] = false;
    if (result !== AGAIN) at[thread]!++;
  };
  const take = (thread: number): void => {
    try {
      const result = running.run(thread, at[thread]!);
      if (!(result instanceof Promise)) return advance(thread, result);
      waiting[thread] = true;
      result.then(
        (value: unknown) => advance(thread, value),
        (error: unknown) => {
          failed(error);
          advance(thread, undefined);
        },
      );
    } catch (error) {
      failed(error);
      advance(thread, undefined);
    }
  };
  const enabled = (): number => {
    actors = [];
    for (let i = 0; i < threads.length; i++) {
      if (!waiting[i] && at[i]! < threads[i]!.statements.length) actors.push(i);
    }
    runnable = actors.length;
    for (const { actor } of stage.pending) actors.push(actor);
    return actors.length;
  };
  const unfinished = (): number =>
    threads.findIndex(({ statements }, i) => at[i]! < statements.length);

  for (;;) {
    for (let tick = 0; tick < TICKS; tick++) await undefined;
    for (const check of stage.checks) check();
    if (reading) timeline.at(-1)?.notes.push(...stage.notes!.splice(0));
    if (stage.found !== undefined) break;
    if (enabled() === 0) {
      if (unfinished() < 0) break;
      // A chain of promises may be longer than expected; if so, nothing is over yet.
      for (let tick = 0; tick < MANY_TICKS && enabled() === 0; tick++) await undefined;
      if (actors.length === 0) break;
    }
    if (++steps > MAX_STEPS) {
      stage.breaks(program.law, `it is not over after ${MAX_STEPS} turns`);
      break;
    }
    const choice = actors.length === 1 ? 0 : chooser.choose(actors);
    if (actors.length > 1) choices.push(choice);
    if (choice < runnable) {
      const actor = actors[choice]!;
      const { name, statements } = threads[actor]!;
      const label = statements[at[actor]!]!;
      take(actor);
      if (reading) timeline.push({ actor: name, label, notes: [] });
    } else {
      const { go, label } = stage.resume(choice - runnable);
      go();
      if (reading) timeline.push({ actor: '', label, notes: [] });
    }
  }
  const stuck = stage.found === undefined ? unfinished() : -1;
  if (stuck >= 0) {
    const { name, statements } = threads[stuck]!;
    stage.breaks(6, `${name} waits for ever: ${statements[at[stuck]!]!}`);
  }
  if (stage.found === undefined) {
    stage.finish();
    if (checkReplay) stage.checkReplay();
  }
  const seen = running.seen();
  if (seen && program.never && stage.found === undefined) stage.breaks(program.law, program.says);
  return { broken: stage.found, seen, steps, timeline, choices, stage };
}
