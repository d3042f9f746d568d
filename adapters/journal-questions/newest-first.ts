import type { Journal, Recorded } from '../../core/index.js';

/** As many events as one blob of a database has, more or less. */
const WINDOW = 1024;

/**
 * The events up to the one at `to`, the last one first. What is found near `to` is found at once,
 * however long the journal is.
 */
export function* newestFirst(journal: Journal, to: number): Iterable<Recorded> {
  for (let end = Math.min(to, journal.position) + 1; end > journal.first; end -= WINDOW) {
    yield* [...journal.read(Math.max(journal.first, end - WINDOW), end)].reverse();
  }
}
