import { LEAF, type Extent, type Rows } from './extent-leaf.js';

/**
 * A leaf whose runs are so short that what pages hold is kept page by page: nothing is searched for
 * here, and nothing has to move up. In its numbers it has how many runs there are, in a way that
 * tells it from a leaf of runs, then what each page holds, then one place that holds nothing.
 *
 * Pages are counted from the one where the leaf begins.
 */

/** How many pages a table has. */
export const PAGES = LEAF - 2;

/** What a page that holds nothing has: no number is its neighbour's, nor is it that of a number. */
const NOTHING = -2;

/** The first number of a table is this, less its runs: it is nobody's neighbour either. */
const NO_RUNS = -2;

export function isTable(rows: Rows, base: number): boolean {
  return rows[base]! < 0;
}

/** Makes a leaf a table that holds nothing. */
export function clear(rows: Rows, base: number): void {
  rows.fill(NOTHING, base, base + LEAF);
}

/** How many runs its pages are. */
export function runs(rows: Rows, base: number): number {
  return NO_RUNS - rows[base]!;
}

/** What a page holds, or -1. */
export function held(rows: Rows, base: number, page: number): number {
  const value = page < PAGES ? rows[base + 1 + page]! : NOTHING;
  return value === NOTHING ? -1 : value;
}

/** Lets `[start, end)` hold numbers from `value` on, or nothing; answers how many held something. */
export function replace(
  rows: Rows,
  base: number,
  start: number,
  end: number,
  value: number,
): number {
  const first = base + 1 + start;
  const stop = base + 1 + end;
  if (value < 0 && stop - first === 1 && rows[first] === NOTHING) return 0;
  let begins = -count(rows, first, stop);
  let removed = 0;
  for (let at = first; at < stop; at++) {
    if (rows[at] !== NOTHING) removed++;
    rows[at] = value < 0 ? NOTHING : value + (at - first);
  }
  begins += count(rows, first, stop);
  rows[base]! -= begins;
  return removed;
}

/** The first page from `page` on that holds something, or {@link PAGES}. */
export function nextHeld(rows: Rows, base: number, page: number): number {
  while (page < PAGES && rows[base + 1 + page] === NOTHING) page++;
  return page;
}

/** Where the run that has `page` ends. */
export function runEnd(rows: Rows, base: number, page: number): number {
  let at = base + 1 + page;
  while (rows[at + 1] === rows[at]! + 1) at++;
  return at - base;
}

/** The last run of a table that begins at `low`; there is one. */
export function last(rows: Rows, base: number, low: number): Extent {
  let at = base + PAGES;
  while (rows[at] === NOTHING) at--;
  const end = low + (at - base);
  while (at > base + 1 && rows[at - 1]! + 1 === rows[at]) at--;
  return { start: low + (at - base) - 1, end, value: rows[at]! };
}

/** How many runs begin in `[first, stop]`. */
function count(rows: Rows, first: number, stop: number): number {
  let begins = 0;
  for (let at = first; at <= stop; at++) {
    begins += Number(rows[at] !== NOTHING && rows[at] !== rows[at - 1]! + 1);
  }
  return begins;
}
