import type { StoreFile } from './backing-store.js';
import type { Access } from './capabilities.js';
import type { Engine } from './engine.js';
import { returned, taken } from './changes.js';
import { asMemfileError, MemfileError, messageOf, show } from './errno.js';
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
  const { state, srcu } = home;
  const { start, end } = borrower.range;
  if (!borrower.active || !isPageCount(offset) || offset < start || offset >= end) {
    throw whyNot(borrower, offset);
  }
  const known = state.frames.get(offset);
  if (known < 0) throw whyHole(home, offset);
  const refusal = refusesLookup(state, borrower, offset);
  if (refusal !== undefined) throw refusal;
  const section = srcu.readLock();
  let lease: Lease;
  try {
    lease = lend(home, borrower, offset, known);
  } catch (error) {
    srcu.readUnlock(section);
    throw asMemfileError(error, 'lookup', `store "${state.store}"`);
  }
  srcu.readUnlock(section);
  return lease;
}

/** A page that the borrower has, with what the store says of it. */
function lend(home: LookupFile, borrower: Borrower, offset: number, known: number): Lease {
  const { state, store, file, engine } = home;
  const { pfn, order: most } = store.getLockPfn(offset);
  let order = 0;
  let generation: number | undefined;
  try {
    if (most !== 0 || pfn !== known) checkFrame(offset, known, pfn, most);
    if (most !== 0) order = orderAlike(state, offset, most);
    generation = store.generation;
    if (engine.recordLookup(state.id, borrower.id, order, offset, pfn)) {
      taken(borrower.recorded, offset, pfn, order);
    }
  } catch (error) {
    throw putBack(store, pfn, error);
  }
  engine.folded();
  return new Lease(borrower, file, offset, pfn, order, generation);
}

/** There is no lease of the frame: puts it, and answers why, and why it cannot be put. */
function putBack(store: StoreFile, pfn: number, why: unknown): unknown {
  try {
    store.putUnlockPfn(pfn);
    return why;
  } catch (error) {
    const both = `${messageOf(why)}; nor can frame ${pfn} be put: ${messageOf(error)}`;
    return new AggregateError([why, error], both);
  }
}

function whyNot({ name, range }: Borrower, offset: number): MemfileError {
  if (isPageCount(offset) && offset >= range.start && offset < range.end) {
    return new MemfileError('EBADF', 'lookup', `"${name}" has unregistered`);
  }
  const where = formatRange(range.start, range.end);
  return new MemfileError('EINVAL', 'lookup', `page ${show(offset)} is not in ${where}`);
}

/** A lease is put. */
export function recordPut(
  engine: Engine,
  file: number,
  owner: { readonly id: number; readonly recorded: RegistrationState },
  { offset, pfn, order }: Lease,
): void {
  if (engine.recordPut(file, owner.id, order, offset, pfn)) {
    returned(engine.state, owner.recorded, offset, pfn, order);
  }
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
  owner: { readonly name: string; readonly access: Access },
  page: number,
): MemfileError | undefined {
  if (state.poisoned.pages > 0 && state.poisoned.has(page)) return poisoned(state, 'lookup', page);
  return owner.access === 'both' ? undefined : refusesSide(state, owner, page);
}

function refusesSide(
  state: FileState,
  { name, access }: { readonly name: string; readonly access: Access },
  page: number,
): MemfileError | undefined {
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
