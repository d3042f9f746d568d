import type { Side } from './capabilities.js';
import { asMemfileError, MemfileError } from './errno.js';
import type { Allocation, PfnRun } from './backing-store.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Operation, Running, Step } from './operation.js';
import { normalize, subtract, type PageRange } from './page-range.js';
import { prepare } from './preparation.js';
import type { Registration } from './registration.js';
import { bySide } from './usable.js';

/** Pages that arrive one beside the other, all private or all shared, whatever their frames. */
interface Arrival extends PageRange {
  readonly side: Side;
  readonly runs: readonly PfnRun[];
}

/**
 * Fills the holes of `[start, end)`: asks the consumers that want to be asked, and tells of the
 * pages that were added, one event for those beside each other. `grow` lets the file reach as far as
 * `end` when all went well.
 */
export function arrive(
  file: FileCore,
  operation: Running,
  start: number,
  end: number,
  reason: Reason,
  grow: boolean,
  then: Step<Running>,
): void {
  const allocation = allocate(file, operation, start, end);
  const { runs, error } = allocation;
  const size = grow && error === undefined ? end : 0;
  try {
    if (file.notifiers.voters > 0) vote(file, operation.self, allocation, reason, size, then);
    else if (runs.length === 1 && error === undefined && isPlain(file, size)) {
      arrivedAlone(file, operation, runs[0]!, reason, then);
    } else arrived(file, operation, allocation, reason, size, then);
  } catch (refused) {
    // What is recorded takes place.
    if (!operation.recorded) takeBack(file, operation.self, allocation);
    throw refused;
  }
}

/** Whether no page is private, and the file keeps its size. */
function isPlain({ state }: FileCore, size: number): boolean {
  return state.private.pages === 0 && size <= state.pages;
}

/** A single run, as most are. */
function arrivedAlone(
  file: FileCore,
  operation: Running,
  run: PfnRun,
  reason: Reason,
  then: Step<Running>,
): void {
  const position = file.recordArrival(operation, run, reason);
  announce(file, operation, run, 'shared', reason, position);
  operation.whenLetGo('every consumer has taken notice', then);
}

/** Nobody objects. */
function arrived(
  file: FileCore,
  operation: Running,
  { runs, error }: Allocation,
  reason: Reason,
  size: number,
  then: Step<Running>,
): void {
  const { id, pages } = file.state;
  if (size > pages) {
    file.record(operation, { type: 'resize', file: id, operation: operation.id, pages: size });
  }
  for (const arrival of sideBySide(file.state, runs)) {
    let position = 0;
    for (const run of arrival.runs) position = file.recordArrival(operation, run, reason);
    announce(file, operation, arrival, arrival.side, reason, position);
  }
  if (error !== undefined) inPart(operation.self, file.state.store, error);
  operation.whenLetGo('every consumer has taken notice', then);
}

function inPart(operation: Operation, store: string, error: MemfileError): void {
  operation.code = error.code;
  operation.effect = 'partial';
  operation.failed(`store "${store}" failed in allocate`, error);
}

/** Asks those who want to be asked about the arrivals that are their business. */
function vote(
  file: FileCore,
  operation: Operation,
  allocation: Allocation,
  reason: Reason,
  size: number,
  then: Step<Running>,
): void {
  const where = { file: file.state.id, operation: operation.id, reason };
  const arrivals = sideBySide(file.state, allocation.runs);
  const questions = arrivals.map((arrival) => ({ ...arrival, voters: votersOf(file, arrival) }));
  const record = (type: 'prepare' | 'rollback', { start, end }: PageRange): number =>
    file.record(operation, { type, ...where, start, end });
  prepare(file, operation, { reason, questions, record }, (agreed) => {
    if (agreed) arrived(file, operation, allocation, reason, size, then);
    else {
      takeBack(file, operation, allocation);
      then(operation);
    }
  });
}

function takeBack(file: FileCore, operation: Operation, { runs }: Allocation): void {
  for (const run of runs) giveBack(file, operation, run);
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

/** Tells of pages that arrived, the last of them at `position`. */
function announce(
  file: FileCore,
  operation: Running,
  { start, end }: PageRange,
  side: Side,
  reason: Reason,
  position: number,
): void {
  const audience = file.notifiers.concerned(start, end);
  const other = side === 'shared' ? 'private' : 'shared';
  file.tell(audience, operation, 'fallocate', reason, position, position, start, end, other);
}

function votersOf(file: FileCore, { start, end, side }: Arrival): Registration[] {
  const { members } = file.notifiers.concerned(start, end);
  return members.filter(({ votes, access }) => votes && (access === 'both' || access === side));
}

function sideBySide(state: FileCore['state'], runs: readonly PfnRun[]): readonly Arrival[] {
  const arrivals: Growing[] = [];
  for (const run of runs) {
    if (state.private.pages === 0) join(arrivals, run, 'shared');
    else {
      for (const { start, end, side } of bySide(state, run)) {
        join(arrivals, { start, end, pfn: run.pfn + (start - run.start) }, side);
      }
    }
  }
  return arrivals;
}

interface Growing extends Arrival {
  end: number;
  readonly runs: PfnRun[];
}

function join(arrivals: Growing[], run: PfnRun, side: Side): void {
  const last = arrivals.at(-1);
  if (last?.end === run.start && last.side === side) {
    last.end = run.end;
    last.runs.push(run);
  } else arrivals.push({ start: run.start, end: run.end, side, runs: [run] });
}

/** Asks the store for the holes of the range, and believes only what can be true. */
function allocate(file: FileCore, operation: Running, start: number, end: number): Allocation {
  const missing = end - start - file.state.frames.count(start, end);
  if (missing === 0) return NOTHING;
  const allocation = ask(file, operation, start, end);
  const { runs } = allocation;
  const only = runs[0];
  // What there is mostly: a single run, for all of a range that was empty.
  if (runs.length === 1 && only!.start === start && only!.end === end && missing === end - start) {
    if (allocation.error === undefined) return allocation;
  }
  return believed(file, operation, { start, end }, missing, allocation);
}

function ask(
  { state, store }: FileCore,
  { syscall }: Running,
  start: number,
  end: number,
): Allocation {
  try {
    return store.allocate(start, end);
  } catch (error) {
    throw asMemfileError(error, syscall, `store "${state.store}" in allocate`);
  }
}

/** Of what the store answered, what can be true. */
function believed(
  { state, store }: FileCore,
  operation: Running,
  { start, end }: PageRange,
  missing: number,
  allocation: Allocation,
): Allocation {
  const { syscall } = operation;
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
  return error === undefined ? { runs } : { runs, error };
}

const NOTHING: Allocation = { runs: [] };
