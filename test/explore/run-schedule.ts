import { MemfileError } from '../../core/index.js';
import type { Chooser } from './choosers.js';
import { AGAIN, type Program, type Running } from './program.js';
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
/** More microtasks than chains of promises between two turns are long. */
const TICKS = 5;

/** Runs a program once, in the order that `chooser` decides. */
export async function runSchedule(
  program: Program,
  chooser: Chooser,
  { reading = false, checkReplay = false }: RunOptions = {},
): Promise<RunResult> {
  const stage = new Stage(reading);
  const running = await program.start(stage);
  stage.made();
  stage.notes?.splice(0);
  const turns = new Turns(program, running, stage, chooser);
  await turns.all();
  if (stage.found === undefined) turns.checkOver();
  if (stage.found === undefined) {
    stage.finish();
    if (checkReplay) stage.checkReplay();
  }
  const seen = running.seen();
  if (seen && program.never && stage.found === undefined) stage.breaks(program.law, program.says);
  const { steps, timeline, choices } = turns;
  return { broken: stage.found, seen, steps, timeline, choices, stage };
}

/** The turns of one run: in each, a thread runs a statement, or something suspended goes on. */
class Turns {
  steps = 0;
  readonly timeline: Step[] = [];
  readonly choices: number[] = [];
  readonly #program: Program;
  readonly #running: Running;
  readonly #stage: Stage;
  readonly #chooser: Chooser;
  /** By thread, which statement comes next, and whether one is still going on. */
  readonly #at: number[];
  readonly #waiting: boolean[];

  constructor(program: Program, running: Running, stage: Stage, chooser: Chooser) {
    this.#program = program;
    this.#running = running;
    this.#stage = stage;
    this.#chooser = chooser;
    this.#at = program.threads.map(() => 0);
    this.#waiting = program.threads.map(() => false);
  }

  /** Resolves when nobody can go any more, or a law is broken. */
  all(): Promise<void> {
    return new Promise((resolve, reject) => {
      let ticks = 0;
      // Takes half as long as awaiting each of them.
      const tick = (): void => {
        if (++ticks < TICKS) void SETTLED.then(tick);
        else turn();
      };
      const turn = (quiet?: boolean): void => {
        ticks = 0;
        try {
          if (this.#turn()) void SETTLED.then(tick);
          else if (quiet || this.#over) resolve();
          // Comes when no microtask is left, should a chain be longer than expected.
          else process.nextTick(turn, true);
        } catch (error) {
          reject(error);
        }
      };
      void SETTLED.then(tick);
    });
  }

  /** Every thread has come to its end. */
  checkOver(): void {
    const stuck = this.#unfinished();
    if (stuck < 0) return;
    const { name, statements } = this.#program.threads[stuck]!;
    this.#stage.breaks(6, `${name} waits for ever: ${statements[this.#at[stuck]!]!}`);
  }

  get #over(): boolean {
    return this.#stage.found !== undefined || this.#unfinished() < 0;
  }

  /** The first thread that has statements left, or -1. */
  #unfinished(): number {
    const { threads } = this.#program;
    return threads.findIndex(({ statements }, i) => this.#at[i]! < statements.length);
  }

  /** Takes a turn, unless it is over. */
  #turn(): boolean {
    const stage = this.#stage;
    for (const check of stage.checks) check();
    if (stage.notes !== undefined) this.timeline.at(-1)?.notes.push(...stage.notes.splice(0));
    if (stage.found !== undefined) return false;
    const actors = this.#actors();
    if (actors.length === 0) return false;
    if (++this.steps > MAX_STEPS) {
      stage.breaks(this.#program.law, `it is not over after ${MAX_STEPS} turns`);
      return false;
    }
    const choice = actors.length === 1 ? 0 : this.#chooser.choose(actors);
    if (actors.length > 1) this.choices.push(choice);
    const runnable = actors.length - stage.pending.length;
    if (choice < runnable) this.#take(actors[choice]!);
    else {
      const { go, label } = stage.resume(choice - runnable);
      go();
      this.#keep('', label);
    }
    return true;
  }

  /** Who can go: threads first, in their order, then what is suspended, oldest first. */
  #actors(): number[] {
    const { threads } = this.#program;
    const actors: number[] = [];
    for (let i = 0; i < threads.length; i++) {
      if (!this.#waiting[i] && this.#at[i]! < threads[i]!.statements.length) actors.push(i);
    }
    for (const { actor } of this.#stage.pending) actors.push(actor);
    return actors;
  }

  /** Runs the next statement of a thread. */
  #take(thread: number): void {
    const { name, statements } = this.#program.threads[thread]!;
    const statement = this.#at[thread]!;
    try {
      const result = this.#running.run(thread, statement);
      if (result instanceof Promise) {
        this.#waiting[thread] = true;
        result.then(
          (value: unknown) => this.#advance(thread, value),
          (error: unknown) => this.#failed(thread, error),
        );
      } else this.#advance(thread, result);
    } catch (error) {
      this.#failed(thread, error);
    }
    this.#keep(name, statements[statement]!);
  }

  #failed(thread: number, error: unknown): void {
    const stage = this.#stage;
    stage.note(`answers ${error instanceof MemfileError ? error.code : String(error)}`);
    if (!(error instanceof MemfileError)) stage.breaks(11, `unexpected ${String(error)}`);
    this.#advance(thread, undefined);
  }

  #advance(thread: number, result: unknown): void {
    this.#waiting[thread] = false;
    if (result !== AGAIN) this.#at[thread]!++;
  }

  #keep(actor: string, label: string): void {
    if (this.#stage.notes !== undefined) this.timeline.push({ actor, label, notes: [] });
  }
}

const SETTLED = Promise.resolve();
