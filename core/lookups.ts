import type { StoreFile } from './backing-store.js';
import type { Access } from './capabilities.js';
import type { Engine } from './engine.js';
import { returned, taken } from './changes.js';
import { asMemfileError, MemfileError, show } from './errno.js';
import { detailOf, fitsLease, headOf, ROW } from './event-row.js';
import { Lease, type LeaseHome } from './lease.js';
import type { NotifiedFile } from './notifier.js';
import { formatRange, isPageCount, type PageRange } from './page-range.js';
import type { SrcuDomain } from './srcu.js';
import type { FileState, RegistrationState } from './state.js';

/** What a lookup needs of the memory file. */
interface LookupFile {
  readonly engine: Engine;
  readonly file: NotifiedFile;
  readonly state: FileState;
  readonly store: StoreFile;
  readonly srcu: SrcuDomain;
}

/** Who looks a page up: a registration. */
interface Borrower extends LeaseHome {
  readonly id: number;
  readonly access: Access;
  readonly active: boolean;
  readonly range: PageRange;
  /** What the journal knows of it. */
  readonly recorded: RegistrationState;
}

/** Takes a lease of the frame of page `offset`; see `Registration.lookup`. */
export function takeLease(home: LookupFile, borrower: Borrower, offset: number): Lease {
  const { engine, state, store, srcu } = home;
  const { range, name } = borrower;
  if (!isPageCount(offset) || offset < range.start || offset >= range.end) {
    const where = formatRange(range.start, range.end);
    throw new MemfileError('EINVAL', 'lookup', `page ${show(offset)} is not in ${where}`);
  }
  if (!borrower.active) throw new MemfileError('EBADF', 'lookup', `"${name}" has unregistered`);
  const known = state.frames.get(offset);
  if (known < 0) throw whyHole(home, offset);
  const refusal = refusesLookup(state, borrower, offset);
  if (refusal !== undefined) throw refusal;
  const section = srcu.readLock();
  try {
    const { pfn, order: most } = store.getLockPfn(offset);
    checkFrame(offset, known, pfn, most);
    const order = orderAlike(state, offset, most);
    try {
      recordLookup(engine, state, borrower, offset, pfn, order);
    } catch (error) {
      store.putUnlockPfn(pfn);
      throw error;
    }
    return new Lease(borrower, home.file, offset, pfn, order, store.generation);
  } catch (error) {
    throw asMemfileError(error, 'lookup', `store "${state.store}"`);
  } finally {
    srcu.readUnlock(section);
  }
}

function recordLookup(
  engine: Engine,
  { id: file }: FileState,
  { id: registration, recorded }: Borrower,
  offset: number,
  pfn: number,
  order: number,
): void {
  if (!fitsLease(file, registration, order)) {
    engine.begin('lookup', { type: 'lookup', file, registration, offset, pfn, order });
    return;
  }
  const detail = detailOf(order, registration);
  engine.recordRow('lookup', headOf(ROW.lookup, file), detail, 0, 0, offset, pfn);
  taken(recorded, offset, pfn, order);
  engine.folded();
}

/** A lease is put: no failure of the journal stops that. */
export function recordPut(
  engine: Engine,
  { id: file }: FileState,
  { id: registration, recorded }: { readonly id: number; readonly recorded: RegistrationState },
  { offset, pfn, order }: Lease,
): void {
  if (!fitsLease(file, registration, order)) {
    engine.record({ type: 'put', file, registration, offset, pfn, order });
    return;
  }
  const detail = detailOf(order, registration);
  const head = headOf(ROW.put, file);
  if (!engine.recordRow(undefined, head, detail, 0, 0, offset, pfn)) return;
  returned(engine.state, recorded, offset, pfn, order);
  engine.folded();
}

/** @throws MemfileError EIO unless the store answers what can be true. */
function checkFrame(offset: number, known: number, pfn: number, order: number): void {
  if (!isPageCount(order) || order > 52) {
    throw new MemfileError('EIO', 'lookup', `the store answers order ${show(order)}`);
  }
  if (pfn === known) return;
  const what = `frame ${pfn} for page ${offset}, which was given frame ${known}`;
  throw new MemfileError('EIO', 'lookup', `the store answers ${what}`);
}

/** Only what a side or an error of the page says; whether it is there is not asked. */
export function refusesLookup(
  state: FileState,
  { name, access }: { readonly name: string; readonly access: Access },
  page: number,
): MemfileError | undefined {
  if (state.poisoned.pages > 0 && state.poisoned.has(page)) return poisoned(state, 'lookup', page);
  if (access === 'both') return undefined;
  const side = state.private.has(page) ? 'private' : 'shared';
  if (side === access) return undefined;
  const what = `page ${page} of "${state.name}" is ${side}, "${name}" has access to ${access} pages`;
  return new MemfileError('EFAULT', 'lookup', what);
}

/** What a lookup of a page that is not there says. */
export function whyHole(
  { state, store }: { readonly state: FileState; readonly store: StoreFile },
  page: number,
): MemfileError {
  try {
    const why = store.whyHole?.(page);
    if (why !== undefined) return asMemfileError(why, 'lookup', `store "${state.store}"`);
  } catch (error) {
    return asMemfileError(error, 'lookup', `store "${state.store}" in whyHole`);
  }
  return new MemfileError('ENOENT', 'lookup', `page ${page} of "${state.name}"`);
}

/** The largest order, up to the store's, whose pages are all of the side of `page` and sound. */
export function orderAlike(state: FileState, page: number, order: number): number {
  if (order === 0) return 0;
  const { private: attributes, poisoned } = state;
  if (attributes.pages === 0 && poisoned.pages === 0) return order;
  const isPrivate = attributes.has(page);
  for (; order > 0; order--) {
    const pages = 2 ** order;
    const start = page - (page % pages);
    const end = start + pages;
    const odd = isPrivate ? attributes.firstHole(start, end) : attributes.firstHeld(start, end);
    if (odd === end && poisoned.firstHeld(start, end) === end) break;
  }
  return order;
}

export function refusesBytes(
  { state, store }: { readonly state: FileState; readonly store: StoreFile },
  page: number,
  order: number,
): MemfileError | undefined {
  if (state.poisoned.pages > 0) {
    const start = page - (page % 2 ** order);
    const [bad] = state.poisoned.ranges(start, start + 2 ** order);
    if (bad !== undefined) return poisoned(state, 'bytes', bad.start);
  }
  if (state.flags.includes('inaccessible')) {
    return new MemfileError('EPERM', 'bytes', `"${state.name}" is inaccessible`);
  }
  if (store.bytes !== undefined) return undefined;
  return new MemfileError('EOPNOTSUPP', 'bytes', `store "${state.store}" shows no contents`);
}

function poisoned({ name }: FileState, syscall: string, page: number): MemfileError {
  return new MemfileError('EHWPOISON', syscall, `page ${page} of "${name}"`);
}
