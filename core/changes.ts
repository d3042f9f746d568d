import type { Reason, Untrusted } from './event.js';
import { LeaseCounts } from './lease-counts.js';
import { subtract, type PageRange } from './page-range.js';
import type {
  FileState,
  MemfileState,
  OpenInvalidation,
  PreparedRange,
  RegistrationState,
} from './state.js';

/**
 * What the frequent events change in a state: one function each, in numbers, for events that come
 * as objects and for those that come as rows. Nobody else changes this.
 */

/** `fallocate` */
export function arrived(
  state: MemfileState,
  file: FileState,
  operation: number,
  start: number,
  end: number,
  pfn: number,
): void {
  file.frames.set(start, end, pfn);
  if (file.prepared.size > 0) answered(file, operation, start, end);
  begun(state, operation);
}

/** `prepare` */
export function asked(
  state: MemfileState,
  file: FileState,
  operation: number,
  start: number,
  end: number,
  reason: Reason,
): void {
  const { prepared } = file;
  const before = prepared.get(operation);
  const range: PreparedRange = { start, end, reason };
  prepared.set(operation, before === undefined ? [range] : [...before, range]);
  begun(state, operation);
}

/** `rollback`, and part of `fallocate`: pages that were asked about are there, or taken back. */
export function answered(file: FileState, operation: number, start: number, end: number): void {
  const { prepared } = file;
  const before = prepared.get(operation);
  if (before === undefined) return;
  if (before.every((range) => start <= range.start && range.end <= end)) {
    prepared.delete(operation); // As it is mostly: all of it.
    return;
  }
  const open = before.flatMap(({ reason, ...range }) =>
    subtract([range], [{ start, end }]).map((left) => ({ ...left, reason })),
  );
  if (open.length > 0) prepared.set(operation, open);
  else prepared.delete(operation);
}

/** `invalidate` */
export function announced(
  state: MemfileState,
  file: FileState,
  operation: number,
  start: number,
  end: number,
  reason: Reason,
): void {
  file.open.set(operation, { start, end, reason, kept: NONE, failed: NONE });
  begun(state, operation);
}

/** `kept` */
export function stayed(file: FileState, operation: number, start: number, end: number): void {
  const open = file.open.get(operation);
  if (open !== undefined) open.kept = added(open.kept, { start, end });
}

/** Part of `failure`. */
export function failed(file: FileState, operation: number, untrusted: Untrusted): void {
  const open = file.open.get(operation);
  if (open !== undefined) open.failed = added(open.failed, untrusted);
}

/** `invalidateEnd` */
export function ended(
  file: FileState,
  operation: number,
  start: number,
  end: number,
  reason: Reason,
): void {
  const open = file.open.get(operation);
  if (open !== undefined) {
    file.open.delete(operation);
    if (open.failed.length + open.kept.length > 0) {
      leftInPart(file, start, end, reason, open);
      return;
    }
  }
  left(file, start, end, reason);
}

/** Pages stayed, or consumers failed to let go of them. */
function leftInPart(
  file: FileState,
  start: number,
  end: number,
  reason: Reason,
  { failed, kept }: OpenInvalidation,
): void {
  if (failed.length > 0) distrust(file, failed);
  for (const gone of subtract([{ start, end }], kept)) left(file, gone.start, gone.end, reason);
}

/** Part of `invalidateEnd`; all of it where nothing stood between it and its begin. */
export function left(file: FileState, start: number, end: number, reason: Reason): void {
  if (reason === 'convert' || reason === 'poison') return; // The pages stay.
  file.frames.delete(start, end);
  if (file.poisoned.pages > 0) file.poisoned.delete(start, end);
  if (file.untrusted.length > 0) trust(file, start, end);
}

/** `lookup` */
export function taken(owner: RegistrationState, offset: number, pfn: number, order: number): void {
  if (owner.leases === LeaseCounts.none) owner.leases = new LeaseCounts();
  owner.leases.add(pfn, offset, order);
}

/** `put` */
export function returned(
  state: MemfileState,
  owner: RegistrationState,
  offset: number,
  pfn: number,
  order: number,
): void {
  owner.leases.remove(pfn, offset, order);
  forget(state, owner);
}

/** Part of `put` and `unregister`: one that left stays as long as its leases do, so that a leak has a name. */
export function forget(state: MemfileState, registration: RegistrationState): void {
  if (registration.left && registration.leases.size === 0) {
    state.registrations.delete(registration.id);
  }
}

/** An operation has begun; that one is known as the last. */
export function begun(state: MemfileState, operation: number): void {
  if (operation > state.lastOperation) state.lastOperation = operation;
}

/** @throws RangeError */
export function registrationOf(state: MemfileState, id: number): RegistrationState {
  const registration = state.registrations.get(id);
  if (registration === undefined) {
    throw new RangeError(`position ${state.position}: no registration ${id}`);
  }
  return registration;
}

/** Most invalidations keep nothing, and nobody fails. */
const NONE: readonly never[] = [];

/** A list is begun when there is something to put on it. */
function added<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

/** Consumers failed to let go of pages; those that are there. */
function distrust(file: FileState, failed: readonly Untrusted[]): void {
  const there = failed.flatMap(({ start, end, consumer }) =>
    file.frames.ranges(start, end).map((range) => ({ ...range, consumer })),
  );
  file.untrusted = [...file.untrusted, ...there];
}

/** What consumers have of pages that are gone does no harm. */
function trust(file: FileState, from: number, to: number): void {
  const gone: PageRange = { start: from, end: to };
  file.untrusted = file.untrusted.flatMap(({ start, end, consumer }) =>
    subtract([{ start, end }], [gone]).map((range) => ({ ...range, consumer })),
  );
}
