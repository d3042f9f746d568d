import type { Reason } from './event.js';
import { Extents } from './extents.js';
import type { FileCore } from './file-core.js';
import type { Operation, Running, Step } from './operation.js';
import { clip, countPages, normalize, subtract, type PageRange } from './page-range.js';
import { usableIn } from './usable.js';
import { Withdrawal, type Keeps } from './withdrawal.js';

/**
 * Takes pages `[start, end)` away: announces them, waits until every consumer told has let go,
 * frees them, and tells the end. Cannot be refused; `then` comes when all of it is over.
 */
export function depart(
  file: FileCore,
  operation: Running,
  start: number,
  end: number,
  reason: Reason,
  then: Step<Running>,
): void {
  const begun = file.recordBegin(operation, start, end, reason);
  file.openBriefly(operation, start, end);
  // Nobody comes before the end, as a registration is an operation too; some may leave.
  const audience = file.notifiers.concerned(start, end);
  file.tell(audience, operation, 'invalidate', reason, begun, begun, start, end);
  if (operation.heldUp) {
    restOf(file, operation, start, end, reason, then).wait(begun, audience);
    return;
  }
  const kept = free(file, operation, start, end);
  if (kept.length > 0) {
    const rest = restOf(file, operation, start, end, reason, then);
    rest.finish(begun, audience, keeps(file, kept));
    return;
  }
  const ended = file.recordEnd(operation, start, end, reason);
  file.tell(audience, operation, 'invalidateEnd', reason, ended, begun, start, end);
  file.closeBriefly();
  operation.whenLetGo('every consumer knows the end', then);
}

/** What goes on in its place where not all is over at once, or not all pages left. */
function restOf(
  file: FileCore,
  operation: Running,
  start: number,
  end: number,
  reason: Reason,
  then: Step<Running>,
): Withdrawal {
  file.closeBriefly();
  return new Withdrawal(file, operation, start, end, reason, between, then);
}

function between({ file, of, start, end }: Withdrawal): Keeps {
  const kept = free(file, of, start, end);
  return kept.length === 0 ? undefined : keeps(file, kept);
}

function keeps({ state }: FileCore, kept: readonly PageRange[]): Keeps {
  return (told) => usableIn(state, kept, told);
}

/** Lets the store drop the pages; answers those that stayed. */
function free(
  file: FileCore,
  operation: Running,
  start: number,
  end: number,
): readonly PageRange[] {
  const { state } = file;
  if (!operation.isSafe || state.untrusted.length > 0 || state.poisoned.pages > 0) {
    return freeSafely(file, operation.self, start, end);
  }
  const kept = drop(file, operation, start, end);
  return kept.length === 0 ? kept : freed(file, operation.self, { start, end }, kept, NONE);
}

/** As above, where frames may not be used again. */
function freeSafely(
  file: FileCore,
  operation: Operation,
  start: number,
  end: number,
): readonly PageRange[] {
  const { pins, unsafe } = quarantine(file, operation, start, end);
  let kept = unsafe;
  if (unsafe.length > 0) operation.effect = 'none';
  for (const range of subtract([{ start, end }], unsafe)) {
    kept = [...kept, ...drop(file, operation, range.start, range.end)];
  }
  return freed(file, operation, { start, end }, kept, pins);
}

/** Records which pages stayed, and which frames are lost. */
function freed(
  file: FileCore,
  operation: Operation,
  { start, end }: PageRange,
  stayed: readonly PageRange[],
  pins: readonly Pin[],
): readonly PageRange[] {
  const { state } = file;
  let kept = stayed;
  if (kept.length > 0 && operation.effect === 'none') {
    kept = normalize(kept);
    if (countPages(kept) < state.frames.count(start, end)) operation.effect = 'partial';
  }
  const where = { file: state.id, operation: operation.id };
  for (const range of kept) file.record(operation, { type: 'kept', ...where, ...range });
  if (pins.length === 0) return kept;
  const leaked = new Extents();
  for (const { page, end, pfn } of pins) {
    const stayed = clip(kept, { start: page, end }).length > 0;
    if (stayed) unpin(file, operation, pfn);
    else leaked.set(page, end, pfn);
  }
  for (const { start, end, value: pfn } of leaked.runs()) {
    file.record(operation, { type: 'quarantine', ...where, start, end, pfn });
  }
  return kept;
}

/** Answers which of the pages stayed; a store that fails has dropped none, and the file is as before. */
function drop(
  file: FileCore,
  operation: Running,
  start: number,
  end: number,
): readonly PageRange[] {
  try {
    const left = file.store.free(start, end, operation.why);
    return left === undefined ? NONE : notAmong(file, start, end, left);
  } catch (error) {
    return notDropped(file, operation.self, start, end, error);
  }
}

function notAmong(
  { state }: FileCore,
  start: number,
  end: number,
  left: readonly PageRange[],
): readonly PageRange[] {
  return subtract(state.frames.ranges(start, end), normalize(left));
}

function notDropped(
  { state }: FileCore,
  operation: Operation,
  start: number,
  end: number,
  error: unknown,
): readonly PageRange[] {
  operation.effect = 'none';
  operation.failed(`store "${state.store}" failed in free`, error);
  return state.frames.ranges(start, end);
}

const NONE: readonly never[] = [];

interface Pin {
  readonly page: number;
  readonly end: number;
  readonly pfn: number;
}

interface Pins {
  readonly pins: readonly Pin[];
  readonly unsafe: readonly PageRange[];
}

function unpin({ state, store }: FileCore, operation: Operation, pfn: number): void {
  try {
    store.putUnlockPfn(pfn);
  } catch (error) {
    operation.failed(`store "${state.store}" failed in putUnlockPfn`, error);
  }
}

/**
 * Takes one reference more on every frame that is poisoned, or that a consumer which failed to let
 * go, now or before, may still use. It is never put: the frame is leaked on purpose, as the kernel
 * leaks a page that it cannot trust. Pages whose frames the store does not hold on to are `unsafe`:
 * they have to stay.
 */
function quarantine(
  { state, store }: FileCore,
  operation: Operation,
  start: number,
  end: number,
): Pins {
  const pins: Pin[] = [];
  const unsafe: PageRange[] = [];
  const poisoned = state.poisoned.pages > 0 ? state.poisoned.ranges(start, end) : [];
  const before = clip(state.untrusted, { start, end });
  for (const range of normalize([...operation.unsafe, ...poisoned, ...before])) {
    for (const run of state.frames.runs(range.start, range.end)) {
      let page = run.start;
      try {
        while (page < run.end) {
          const { pfn, order } = store.getLockPfn(page);
          const end = Math.min((Math.floor(page / 2 ** order) + 1) * 2 ** order, run.end);
          pins.push({ page, end, pfn });
          page = end;
        }
      } catch (error) {
        unsafe.push({ start: page, end: run.end });
        operation.failed(`store "${state.store}" failed in getLockPfn`, error);
      }
    }
  }
  return { pins, unsafe };
}
