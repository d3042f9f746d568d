import type { Side } from './capabilities.js';
import { asMemfileError, MemfileError } from './errno.js';
import type { PfnRun } from './backing-store.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Operation, Step } from './operation.js';
import { normalize, subtract, type PageRange } from './page-range.js';
import { prepare } from './preparation.js';
import type { Registration } from './registration.js';
import { bySide } from './usable.js';

/** Pages that arrive one beside the other, all private or all shared, whatever their frames. */
interface Stretch extends PageRange {
  readonly side: Side;
  readonly runs: readonly PfnRun[];
}

/**
 * Fills the holes of `[start, end)`: asks the consumers that want to be asked, and tells of the
 * pages that were added, one event for every stretch of them. `grow` lets the file reach as far as
 * `end` when all went well.
 */
export function arrive(
  file: FileCore,
  operation: Operation,
  start: number,
  end: number,
  reason: Reason,
  grow: boolean,
  then: Step,
): void {
  const { runs, error } = allocate(file, operation, start, end);
  const stretches = sideBySide(file.state, runs);
  const size = grow && error === undefined ? end : 0;
  const arrived = (): void => {
    commit(file, operation, stretches, reason, size);
    if (error !== undefined) {
      operation.code = error.code;
      operation.effect = 'partial';
      operation.failed(`store "${file.state.store}" failed in allocate`, error);
    }
    operation.whenLetGo('every consumer has taken notice', then);
  };
  const takeBack = (): void => {
    for (const run of runs) giveBack(file, operation, run);
  };
  try {
    if (file.notifiers.voters === 0) arrived();
    else {
      vote(file, operation, stretches, reason, (agreed) => {
        if (agreed) arrived();
        else {
          takeBack();
          then(operation);
        }
      });
    }
  } catch (refused) {
    takeBack(); // The first event of the operation could not be recorded.
    throw refused;
  }
}

/** Asks those who want to be asked about the stretches that are their business. */
function vote(
  file: FileCore,
  operation: Operation,
  stretches: readonly Stretch[],
  reason: Reason,
  then: (agreed: boolean) => void,
): void {
  const where = { file: file.state.id, operation: operation.id, reason };
  const questions = stretches.map((stretch) => ({ ...stretch, voters: votersOf(file, stretch) }));
  const record = (type: 'prepare' | 'rollback', { start, end }: PageRange): number =>
    file.record(operation, { type, ...where, start, end });
  prepare(file, operation, { reason, questions, record }, then);
}

/** Pages that never arrived go back to their store; it is reported when it does not take them. */
function giveBack({ state, store }: FileCore, operation: Operation, run: PfnRun): void {
  const what = `store "${state.store}" did not take [${run.start}, ${run.end}) back`;
  try {
    const left = store.free(run.start, run.end, 'undo');
    if (left === undefined || subtract([run], normalize(left)).length === 0) return;
    operation.failed(what, new Error('it kept pages that were never part of the file'));
  } catch (error) {
    operation.failed(what, error);
  }
}

/** Records what arrived, and tells of it. */
function commit(
  file: FileCore,
  operation: Operation,
  stretches: readonly Stretch[],
  reason: Reason,
  size: number,
): void {
  const { id } = file.state;
  const { id: of } = operation;
  if (size > file.state.pages) {
    file.record(operation, { type: 'resize', file: id, operation: of, pages: size });
  }
  for (const { start: first, end: last, side, runs } of stretches) {
    let position = 0;
    for (const { start, end, pfn } of runs) {
      position = file.record(operation, {
        type: 'fallocate',
        file: id,
        operation: of,
        start,
        end,
        pfn,
        reason,
      });
    }
    const audience = file.notifiers.concerned(first, last);
    if (audience.members.length === 0) continue;
    const pass = file.pass(operation, 'fallocate', reason, position);
    const other = side === 'shared' ? 'private' : 'shared';
    audience.tellOldestFirst(file.engine, pass, first, last, other);
  }
}

function votersOf(file: FileCore, { start, end, side }: Stretch): Registration[] {
  const { members } = file.notifiers.concerned(start, end);
  return members.filter(({ votes, access }) => votes && (access === 'both' || access === side));
}

function sideBySide(state: FileCore['state'], runs: readonly PfnRun[]): readonly Stretch[] {
  const [only] = runs;
  if (only !== undefined && runs.length === 1 && state.private.pages === 0) {
    return [{ start: only.start, end: only.end, side: 'shared', runs }];
  }
  const stretches: Growing[] = [];
  for (const run of runs) {
    if (state.private.pages === 0) join(stretches, run, 'shared');
    else {
      for (const { start, end, side } of bySide(state, run)) {
        join(stretches, { start, end, pfn: run.pfn + (start - run.start) }, side);
      }
    }
  }
  return stretches;
}

interface Growing extends Stretch {
  end: number;
  readonly runs: PfnRun[];
}

function join(stretches: Growing[], run: PfnRun, side: Side): void {
  const last = stretches.at(-1);
  if (last?.end === run.start && last.side === side) {
    last.end = run.end;
    last.runs.push(run);
  } else stretches.push({ start: run.start, end: run.end, side, runs: [run] });
}

/** Asks the store for the holes of the range, and believes only what can be true. */
function allocate(
  { state, store }: FileCore,
  operation: Operation,
  start: number,
  end: number,
): { readonly runs: readonly PfnRun[]; readonly error: MemfileError | undefined } {
  const { syscall } = operation;
  const missing = end - start - state.frames.count(start, end);
  if (missing === 0) return NOTHING;
  let allocation;
  try {
    allocation = store.allocate(start, end);
  } catch (error) {
    throw asMemfileError(error, syscall, `store "${state.store}" in allocate`);
  }
  const { runs } = allocation;
  const who = allocation.error === undefined ? '' : `store "${state.store}" in allocate`;
  const error = allocation.error && asMemfileError(allocation.error, syscall, who);
  let at = operation.start;
  let inside = 0;
  for (const run of runs) {
    if (
      run.start < at ||
      run.end <= run.start ||
      run.end > operation.end ||
      state.frames.count(run.start, run.end) > 0
    ) {
      for (const added of runs) store.free(added.start, added.end, 'undo');
      const what = `pages [${run.start}, ${run.end}) that it was not asked for`;
      throw new MemfileError('EIO', syscall, `store "${state.store}" allocated ${what}`);
    }
    at = run.end;
    inside += Math.max(0, Math.min(run.end, end) - Math.max(run.start, start));
  }
  if (error !== undefined && runs.length === 0) throw error;
  if (error === undefined && inside < missing) {
    const why = `store "${state.store}" allocated ${inside} of ${missing} pages without saying why`;
    return { runs, error: new MemfileError('EIO', syscall, why) };
  }
  return { runs, error };
}

const NOTHING = { runs: [], error: undefined };
