/** Which mappings an invalidation concerns: those that private faults made, shared ones, or all. */
export type Side = 'private' | 'shared' | 'both';

/**
 * What a mapping is, in a number that is 0 for none: twice the frame plus 2, one more when it is
 * private, and below 0 when it is write-protected. Frames of 30 bits leave it 32, and any frame
 * that a file can have is exact in a double.
 */
export type Entry = number;

export function entryOf(pfn: number, isPrivate: boolean, writable: boolean): Entry {
  const entry = pfn * 2 + (isPrivate ? 3 : 2);
  return writable ? entry : -entry;
}

/** That of the page so many pages behind the one that an entry is of. */
export function entryAfter(entry: Entry, pages: number): Entry {
  return entry > 0 ? entry + pages * 2 : entry - pages * 2;
}

/** -1 for no entry. */
export function pfnOf(entry: Entry): number {
  return Math.floor(Math.abs(entry) / 2) - 1;
}

export function isPrivate(entry: Entry): boolean {
  return (entry & 1) !== 0;
}

export function isWritable(entry: Entry): boolean {
  return entry > 0;
}

export function isOfSide(entry: Entry, side: Side): boolean {
  return side === 'both' || (side === 'private') === isPrivate(entry);
}
