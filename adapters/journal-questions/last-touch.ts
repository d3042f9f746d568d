import type { Journal, JournalEvent, Recorded } from '../../core/index.js';
import { newestFirst } from './newest-first.js';

/** A page of a file, and after which event it is asked about. */
export interface PageQuestion {
  readonly file: number;
  readonly page: number;
  /** A position; that of the last event by default. */
  readonly at?: number | undefined;
}

/**
 * The last event at or before `at` that something happened to the page by: it came, left or stayed,
 * was asked about, converted, poisoned, leaked, leased or put. Undefined when there is none in what
 * the journal has not forgotten. What consumers were told of it is no such event.
 */
export function lastTouch(
  journal: Journal,
  { file, page, at = journal.position }: PageQuestion,
): Recorded | undefined {
  for (const event of newestFirst(journal, at)) {
    if (touches(event, file, page)) return event;
    if (event.type === 'createFile' && event.file === file) return undefined;
  }
  return undefined;
}

function touches(event: JournalEvent, file: number, page: number): boolean {
  switch (event.type) {
    case 'fallocate':
    case 'invalidate':
    case 'invalidateEnd':
    case 'prepare':
    case 'rollback':
    case 'kept':
    case 'quarantine':
    case 'convert':
    case 'usable':
    case 'error':
    case 'poison':
      return event.file === file && event.start <= page && page < event.end;
    case 'lookup':
    case 'put':
      return event.file === file && isLeased(event, page);
    default:
      return false;
  }
}

/** A lease is of the naturally aligned `2^order` pages around its offset. */
export function isLeased(
  { offset, order }: { readonly offset: number; readonly order: number },
  page: number,
): boolean {
  return Math.floor(page / 2 ** order) === Math.floor(offset / 2 ** order);
}
