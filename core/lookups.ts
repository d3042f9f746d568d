import type { StoreFile } from './backing-store.js';
import type { Access } from './capabilities.js';
import { asMemfileError, MemfileError } from './errno.js';
import type { FileState } from './state.js';

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
  const { private: attributes, poisoned } = state;
  if (attributes.pages === 0 && poisoned.pages === 0) return order;
  for (; order > 0; order--) {
    const pages = 2 ** order;
    const start = page - (page % pages);
    const odd = attributes.has(page) ? attributes.holes : attributes.ranges;
    const alike = odd.call(attributes, start, start + pages).length === 0;
    if (alike && poisoned.ranges(start, start + pages).length === 0) break;
  }
  return order;
}

export function refusesBytes(
  { state, store }: { readonly state: FileState; readonly store: StoreFile },
  page: number,
): MemfileError | undefined {
  if (state.poisoned.has(page)) return poisoned(state, 'bytes', page);
  if (state.flags.includes('inaccessible')) {
    return new MemfileError('EPERM', 'bytes', `"${state.name}" is inaccessible`);
  }
  if (store.bytes !== undefined) return undefined;
  return new MemfileError('EOPNOTSUPP', 'bytes', `store "${state.store}" shows no contents`);
}

function poisoned({ name }: FileState, syscall: string, page: number): MemfileError {
  return new MemfileError('EHWPOISON', syscall, `page ${page} of "${name}"`);
}
