import type { Reason } from './event.js';
import { Extents } from './extents.js';
import type { FileCore } from './file-core.js';
import { tell } from './notifier-list.js';
import type { Operation } from './operation.js';
import { clip, normalize, subtract, type PageRange } from './page-range.js';
import type { Registration } from './registration.js';

/**
 * Takes pages `[start, end)` away: announces them, waits until every consumer told has let go,
 * frees them, and tells the end. Cannot be refused; `then` comes when all of it is over.
 */
export function depart(
  file: FileCore,
  operation: Operation,
  start: number,
  end: number,
  reason: Reason,
  then: () => void,
): void {
  const { id } = file.state;
  const { id: of } = operation;
  const begun = file.record(operation, {
    type: 'invalidate',
    file: id,
    operation: of,
    start,
    end,
    reason,
  });
  const told: Registration[] = [];
  file.told.set(of, told);
  const pass = file.pass(operation, 'invalidate', reason, begun);
  file.notifiers.tellDeparture(pass, start, end, told);
  operation.whenLetGo('every consumer has let go', () => {
    const kept = free(file, operation, start, end);
    const ended = file.record(operation, {
      type: 'invalidateEnd',
      file: id,
      operation: of,
      start,
      end,
      reason,
    });
    file.told.delete(of);
    const plain = file.pass(operation, 'invalidateEnd', reason, ended, begun);
    for (let i = told.length - 1; i >= 0; i--) {
      const own = clip(kept, told[i]!.range);
      tell(told[i]!, own.length === 0 ? plain : plain.keeping(own), start, end);
    }
    operation.whenLetGo('every consumer knows the end', then);
  });
}

/** Lets the store drop the pages; answers those that stayed. */
function free(
  file: FileCore,
  operation: Operation,
  start: number,
  end: number,
): readonly PageRange[] {
  const { state, store } = file;
  const there = state.frames.ranges(start, end);
  const pins = quarantine(file, operation);
  let kept: readonly PageRange[] = [];
  try {
    const left = store.free(start, end);
    if (left !== undefined) kept = subtract(there, normalize(left));
  } catch (error) {
    kept = there;
    operation.effect = 'none';
    operation.failed(`store "${state.store}" failed in free`, error);
  }
  const where = { file: state.id, operation: operation.id };
  for (const range of kept) file.record(operation, { type: 'kept', ...where, ...range });
  const leaked = new Extents();
  for (const { page, end, pfn } of pins) {
    const stayed = clip(kept, { start: page, end }).length > 0;
    if (stayed) store.putUnlockPfn(pfn);
    else leaked.set(page, end, pfn);
  }
  for (const { start, end, value: pfn } of leaked.runs()) {
    file.record(operation, { type: 'quarantine', ...where, start, end, pfn });
  }
  return kept;
}

interface Pin {
  readonly page: number;
  readonly end: number;
  readonly pfn: number;
}

/**
 * Takes one reference more on every frame that a consumer which failed to let go may still use. It
 * is never put: the frame is leaked on purpose, as the kernel leaks a page that it cannot trust.
 */
function quarantine({ state, store }: FileCore, operation: Operation): readonly Pin[] {
  if (operation.unsafe.length === 0) return [];
  const pins: Pin[] = [];
  const runs = normalize(operation.unsafe).flatMap(({ start, end }) =>
    state.frames.runs(start, end),
  );
  for (const run of runs) {
    for (let page = run.start; page < run.end;) {
      try {
        const { pfn, order } = store.getLockPfn(page);
        const end = Math.min((Math.floor(page / 2 ** order) + 1) * 2 ** order, run.end);
        pins.push({ page, end, pfn });
        page = end;
      } catch (error) {
        operation.failed(`store "${state.store}" failed in getLockPfn`, error);
        page++;
      }
    }
  }
  return pins;
}
