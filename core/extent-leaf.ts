import type { PageRange } from './page-range.js';

/** Pages `[start, end)` that hold the numbers `value`, `value + 1`, … */
export interface Extent extends PageRange {
  readonly value: number;
}

/**
 * Some runs of pages beside each other, sorted, as a slice of 94 numbers in an array: how many they
 * are, then up to 31 first pages, as many ends and as many values, each in the place of its run. A
 * place without a run has {@link nowhere} as its first page, so that a search takes the same few
 * steps wherever it ends: nobody foresees where a loop would.
 *
 * A run is known by where its first page is in the array; its end is 31 further, its value 62.
 */
export type Rows = Int32Array | Float64Array;

/** How many numbers a leaf takes. */
export const LEAF = 94;
/** How many runs a leaf has at most. */
export const RUNS = 31;
/** From the first page of a run to its end. */
export const END = RUNS;
/** From the first page of a run to its value. */
export const VALUE = 2 * RUNS;

/** The largest number that fits rows of 32 bits, and is no page in them. */
const NARROW = 2 ** 31 - 1;

/** More than any page. */
export function nowhere(rows: Rows): number {
  return rows instanceof Int32Array ? NARROW : Infinity;
}

/** Whether rows of 32 bits have room for this run. */
export function isNarrow(start: number, end: number, value: number): boolean {
  return end < NARROW && value + (end - start) < NARROW;
}

/** Makes a leaf one without runs. */
export function clear(rows: Rows, base: number): void {
  rows.fill(nowhere(rows), base, base + RUNS + 1);
  rows[base] = 0;
}

/** The last run that begins at `page` or before, or `base` when none does. */
export function begun(rows: Rows, base: number, page: number): number {
  let at = base;
  at += 8 * below(rows, at, 8, page);
  at += 2 * below(rows, at, 2, page);
  return at + Number(rows[at + 1]! <= page);
}

/**
 * How many of three numbers, `step` places apart behind `at`, are not more than `page`: places in
 * memory that nobody waits for one after the other.
 */
export function below(rows: Rows, at: number, step: number, page: number): number {
  return (
    Number(rows[at + step]! <= page) +
    Number(rows[at + 2 * step]! <= page) +
    Number(rows[at + 3 * step]! <= page)
  );
}

/** Whether `[start, end)` holds nothing; the last run that begins at `start` or before is at `at`. */
export function isHole(rows: Rows, base: number, at: number, start: number, end: number): boolean {
  if (at > base && rows[at + END]! > start) return false;
  return at === base + RUNS || rows[at + 1]! >= end;
}

/** How many pages of `[start, end)` hold something; `at` is as for {@link isHole}. */
export function count(rows: Rows, base: number, at: number, start: number, end: number): number {
  const last = base + rows[base]!;
  let pages = at > base && rows[at + END]! > start ? Math.min(rows[at + END]!, end) - start : 0;
  while (++at <= last && rows[at]! < end) pages += Math.min(rows[at + END]!, end) - rows[at]!;
  return pages;
}

/** Whether the run `[start, …)` from `value` continues the one at `at`. */
export function continues(rows: Rows, at: number, start: number, value: number): boolean {
  return rows[at + END] === start && rows[at + VALUE]! + (start - rows[at]!) === value;
}

/**
 * Adds a run in a hole, behind the run at `at`, and joins it to those it touches. Answers false when
 * there is no room.
 */
export function insert(
  rows: Rows,
  base: number,
  at: number,
  start: number,
  end: number,
  value: number,
): boolean {
  const next = at + 1;
  const last = base + rows[base]!;
  const joins = at < last && rows[next] === end && rows[next + VALUE] === value + (end - start);
  if (at > base && continues(rows, at, start, value)) {
    rows[at + END] = joins ? rows[next + END]! : end;
    if (joins) close(rows, base, next, next + 1);
  } else if (joins) {
    rows[next] = start;
    rows[next + VALUE] = value;
  } else {
    if (last === base + RUNS) return false;
    open(rows, base, next);
    write(rows, next, start, end, value);
  }
  return true;
}

/**
 * Forgets what `[start, end)` holds; the last run that begins at `start` or before is at `at`.
 * Answers how many pages held something, or -1 when there is no room for the two parts of a run.
 */
export function remove(rows: Rows, base: number, at: number, start: number, end: number): number {
  const last = base + rows[base]!;
  let from = at > base && rows[at + END]! > start ? at : at + 1;
  if (from > last || rows[from]! >= end) return 0;
  let to = from;
  let removed = 0;
  do {
    removed += rows[to + END]! - rows[to]!;
    to++;
  } while (to <= last && rows[to]! < end);
  const head = start - rows[from]!;
  const tail = rows[to - 1 + END]! - end;
  if (head > 0) removed -= head;
  if (tail > 0) {
    removed -= tail;
    to--;
    if (head > 0 && to === from) {
      if (last === base + RUNS) return -1;
      open(rows, base, ++to);
      write(rows, to, rows[from]!, rows[from + END]!, rows[from + VALUE]!);
    }
    rows[to + VALUE]! += end - rows[to]!;
    rows[to] = end;
  }
  if (head > 0) rows[from++ + END] = start;
  if (from < to) close(rows, base, from, to);
  return removed;
}

/** Moves the runs `[from, stop)` of one leaf to another, which has none. */
export function move(
  rows: Rows,
  base: number,
  from: number,
  stop: number,
  into: Rows,
  other: number,
): void {
  for (let run = from, at = other + 1; run < stop; run++, at++) {
    write(into, at, rows[run]!, rows[run + END]!, rows[run + VALUE]!);
  }
  into[other] = stop - from;
  close(rows, base, from, stop);
}

export function write(rows: Rows, at: number, start: number, end: number, value: number): void {
  rows[at] = start;
  rows[at + END] = end;
  rows[at + VALUE] = value;
}

/** Makes room for a run at `at`; there is some left. */
function open(rows: Rows, base: number, at: number): void {
  const last = base + rows[base]!;
  rows[base]!++;
  // A loop is faster than a call into the runtime for as little as this.
  for (let from = last; from >= at; from--) {
    rows[from + 1] = rows[from]!;
    rows[from + 1 + END] = rows[from + END]!;
    rows[from + 1 + VALUE] = rows[from + VALUE]!;
  }
}

/** Takes the runs `[at, stop)` out. */
export function close(rows: Rows, base: number, at: number, stop: number): void {
  const last = base + rows[base]!;
  let to = at;
  for (let from = stop; from <= last; from++, to++) {
    rows[to] = rows[from]!;
    rows[to + END] = rows[from + END]!;
    rows[to + VALUE] = rows[from + VALUE]!;
  }
  rows[base] = to - 1 - base;
  const none = nowhere(rows);
  for (; to <= last; to++) rows[to] = none;
}
