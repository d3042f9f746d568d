import { asMemfileError, MemfileError } from './errno.js';
import type { PfnRun } from './backing-store.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Operation } from './operation.js';
import { countPages } from './page-range.js';

/**
 * Fills the holes of `[start, end)` and tells of the pages that were added, one event for every
 * stretch of them. `grow` lets the file reach as far as `end` when all went well.
 */
export function arrive(
  file: FileCore,
  operation: Operation,
  start: number,
  end: number,
  reason: Reason,
  grow: boolean,
  then: () => void,
): void {
  const { state, store, notifiers } = file;
  const { runs, error } = allocate(file, operation, start, end);
  const { id } = state;
  const { id: of } = operation;
  try {
    if (grow && error === undefined && end > state.pages) {
      file.record(operation, { type: 'resize', file: id, operation: of, pages: end });
    }
    for (let i = 0; i < runs.length;) {
      const first = runs[i]!.start;
      let last = first;
      let position = 0;
      for (; i < runs.length && runs[i]!.start === last; i++) {
        const { start, end, pfn } = runs[i]!;
        position = file.record(operation, {
          type: 'fallocate',
          file: id,
          operation: of,
          start,
          end,
          pfn,
          reason,
        });
        last = end;
      }
      notifiers.tellArrival(file.pass(operation, 'fallocate', reason, position), first, last);
    }
  } catch (refused) {
    for (const run of runs) store.free(run.start, run.end);
    throw refused;
  }
  if (error !== undefined) {
    operation.code = error.code;
    operation.effect = 'partial';
    operation.failed(`store "${state.store}" in allocate`, error);
  }
  operation.whenLetGo('every consumer has taken notice', then);
}

/** Asks the store for the holes of the range, and believes only what can be true. */
function allocate(
  { state, store }: FileCore,
  operation: Operation,
  start: number,
  end: number,
): { readonly runs: readonly PfnRun[]; readonly error: MemfileError | undefined } {
  const { syscall } = operation;
  const missing = countPages(state.frames.holes(start, end));
  if (missing === 0) return { runs: [], error: undefined };
  const who = `store "${state.store}"`;
  let allocation;
  try {
    allocation = store.allocate(start, end);
  } catch (error) {
    throw asMemfileError(error, syscall, `${who} in allocate`);
  }
  const { runs, error } = allocation;
  let at = operation.start;
  let inside = 0;
  for (const run of runs) {
    if (
      run.start < at ||
      run.end <= run.start ||
      run.end > operation.end ||
      taken(state.frames, run)
    ) {
      for (const added of runs) store.free(added.start, added.end);
      const what = `pages [${run.start}, ${run.end}) that it was not asked for`;
      throw new MemfileError('EIO', syscall, `${who} allocated ${what}`);
    }
    at = run.end;
    inside += Math.max(0, Math.min(run.end, end) - Math.max(run.start, start));
  }
  if (error !== undefined && runs.length === 0) throw error;
  if (error === undefined && inside < missing) {
    const why = `${who} allocated ${inside} of ${missing} pages without saying why`;
    return { runs, error: new MemfileError('EIO', syscall, why) };
  }
  return { runs, error };
}

function taken(frames: FileCore['state']['frames'], { start, end }: PfnRun): boolean {
  return frames.ranges(start, end).length > 0;
}
