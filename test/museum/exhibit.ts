import { program, type Program, type ProgramSpec } from '../explore/index.js';

export interface ExhibitSpec<Part, W> extends Required<Pick<ProgramSpec<W>, 'law' | 'says'>> {
  /** Where it happened: a project with the number of an issue, a mail, a patch. */
  readonly source: string;
  /** What was done, what came of it, and what this project does. */
  readonly history: readonly [string, string, string];
  /** What was wrong, small. */
  readonly faulty: Part;
  /** What this project has in its place. */
  readonly ours: Part;
  /** The same program for both. */
  readonly setUp: (stage: Parameters<ProgramSpec<W>['setUp']>[0], part: Part) => W | Promise<W>;
  readonly threads: ProgramSpec<W>['threads'];
  /** Whether `says` came about; without it, the model and the laws of every program decide. */
  readonly seen?: ProgramSpec<W>['seen'];
}

/** A bug that really happened, and a program that tells it from what we do. */
export interface Exhibit {
  readonly law: number;
  readonly says: string;
  readonly source: string;
  readonly history: readonly [string, string, string];
  readonly faulty: Program;
  readonly ours: Program;
}

export function exhibit<Part, W>(spec: ExhibitSpec<Part, W>): Exhibit {
  const { law, says, source, history, threads, seen = () => false } = spec;
  const show = (name: string, part: Part): Program => {
    const setUp: ProgramSpec<W>['setUp'] = (stage) => spec.setUp(stage, part);
    return program({ name, law, says, threads, seen, never: true, setUp });
  };
  return {
    law,
    says,
    source,
    history,
    faulty: show('faulty', spec.faulty),
    ours: show('ours', spec.ours),
  };
}
