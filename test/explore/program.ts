import type { Stage } from './stage.js';

/** What a statement answers that has more to do: it is called again, at a turn of its own. */
export const AGAIN = Symbol('again');

/** One turn of a thread; the thread waits for what it answers, when that is a promise. */
export type Statement<W> = (world: W) => unknown;

/** Statements by what they are called, in their order. */
export type Thread<W> = Readonly<Record<string, Statement<W>>>;

export interface ProgramSpec<W> {
  readonly name: string;
  /** The law that it is about. */
  readonly law: number;
  /** The outcome that `seen` looks for, in words. */
  readonly says?: string;
  /** Makes the world anew for every schedule; nothing is left to chance yet. */
  readonly setUp: (stage: Stage) => W | Promise<W>;
  readonly threads: Readonly<Record<string, Thread<W>>>;
  /** Asked when everything is over: whether the outcome that the program looks for came about. */
  readonly seen?: (world: W) => boolean;
  /** That outcome breaks the law. */
  readonly never?: boolean;
}

/** A program that has begun, with a world of its own. */
export interface Running {
  run(thread: number, statement: number): unknown;
  seen(): boolean;
}

/** Threads of statements, of which every order is to be tried. */
export interface Program {
  readonly name: string;
  readonly law: number;
  readonly says: string;
  readonly never: boolean;
  readonly threads: readonly { readonly name: string; readonly statements: readonly string[] }[];
  start(stage: Stage): Promise<Running>;
}

export function program<W>(spec: ProgramSpec<W>): Program {
  const threads = Object.entries(spec.threads).map(([name, thread]) => ({
    name,
    statements: Object.keys(thread),
    run: Object.values(thread),
  }));
  return {
    name: spec.name,
    law: spec.law,
    says: spec.says ?? spec.name,
    never: spec.never ?? false,
    threads,
    start: async (stage) => {
      const world = await spec.setUp(stage);
      return {
        run: (thread, statement) => threads[thread]!.run[statement]!(world),
        seen: () => spec.seen?.(world) ?? false,
      };
    },
  };
}

/** The same program without one of its statements. */
export function without(program: Program, thread: number, statement: number): Program {
  return {
    ...program,
    threads: program.threads.map(({ name, statements }, t) => ({
      name,
      statements: statements.filter((_, s) => t !== thread || s !== statement),
    })),
    start: async (stage) => {
      const { run, seen } = await program.start(stage);
      return {
        run: (t, s) => run(t, t === thread && s >= statement ? s + 1 : s),
        seen,
      };
    },
  };
}

/** The same program with these statements only. */
export function restrictedTo(program: Program, threads: Program['threads']): Program {
  let rest = program;
  for (const [t, { statements }] of program.threads.entries()) {
    for (let s = statements.length - 1; s >= 0; s--) {
      if (threads[t]?.statements.includes(statements[s]!) !== true) rest = without(rest, t, s);
    }
  }
  return rest;
}
