import { MemfileError, show } from './errno.js';

/** Pages `[start, end)` of one memory file, half-open, counted in pages. */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

export const PAGE_SIZE = 4096;

/** The largest file: 2^63 bytes, the kernel's `MAX_LFS_FILESIZE`; such numbers are exact doubles. */
export const MAX_PAGES = 2 ** 51;

/** The range of a registration that follows the whole file, however large it grows. */
export const WHOLE_FILE: PageRange = Object.freeze({ start: 0, end: MAX_PAGES });

export function isPageCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether they are a range of pages that is not empty. */
export function isRange(start: number, end: number): boolean {
  return isPageCount(start) && isPageCount(end) && start < end && end <= MAX_PAGES;
}

/**
 * @throws MemfileError EINVAL unless `0 <= start < end` and both are safe integers; EFBIG past the
 * largest file.
 */
export function checkRange(syscall: string, start: number, end: number): void {
  if (isRange(start, end)) return;
  throw noRange(syscall, start, end);
}

function noRange(syscall: string, start: unknown, end: unknown): MemfileError {
  if (!isPageCount(start)) {
    return new MemfileError('EINVAL', syscall, `start must be a page number, got ${show(start)}`);
  }
  if (!isPageCount(end)) {
    return new MemfileError('EINVAL', syscall, `end must be a page number, got ${show(end)}`);
  }
  return start < end
    ? new MemfileError('EFBIG', syscall, `end ${end} is past 2^51 pages`)
    : new MemfileError('EINVAL', syscall, `start ${start} must be below end ${end}`);
}

/** @throws MemfileError EINVAL unless it is a page count; EFBIG past the largest file. */
export function checkSize(syscall: string, pages: number): void {
  if (!isPageCount(pages)) {
    throw new MemfileError('EINVAL', syscall, `pages must be a page count, got ${show(pages)}`);
  }
  if (pages > MAX_PAGES) throw new MemfileError('EFBIG', syscall, `${pages} pages`);
}

export function overlaps(a: PageRange, b: PageRange): boolean {
  return a.start < b.end && b.start < a.end;
}

export function countPages(ranges: readonly PageRange[]): number {
  let pages = 0;
  for (const { start, end } of ranges) pages += end - start;
  return pages;
}

/** What of `ranges` is not in `taken`; both sorted and disjoint, as is the answer. */
export function subtract(ranges: readonly PageRange[], taken: readonly PageRange[]): PageRange[] {
  const left: PageRange[] = [];
  let t = 0;
  for (const range of ranges) {
    let start = range.start;
    while (t < taken.length && taken[t]!.end <= start) t++;
    for (let u = t; u < taken.length && taken[u]!.start < range.end; u++) {
      if (taken[u]!.start > start) left.push({ start, end: taken[u]!.start });
      start = Math.max(start, taken[u]!.end);
    }
    if (start < range.end) left.push({ start, end: range.end });
  }
  return left;
}

/** What of sorted `ranges` lies in `within`. */
export function clip(ranges: readonly PageRange[], within: PageRange): PageRange[] {
  const clipped: PageRange[] = [];
  for (const range of ranges) {
    if (!overlaps(range, within)) continue;
    const start = Math.max(range.start, within.start);
    clipped.push({ start, end: Math.min(range.end, within.end) });
  }
  return clipped;
}

/** The first page of `within` that one of the ranges has, which are sorted and disjoint. */
export function firstIn(ranges: readonly PageRange[], within: PageRange): number | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.end > within.start) high = middle;
    else low = middle + 1;
  }
  const first = ranges[low];
  if (first === undefined || first.start >= within.end) return undefined;
  return Math.max(first.start, within.start);
}

/** Sorts ranges and joins those that touch or overlap. */
export function normalize(ranges: Iterable<PageRange>): PageRange[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const joined: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

export function formatRange(start: number, end: number): string {
  return end >= MAX_PAGES ? `[${start}, ∞)` : `[${start}, ${end})`;
}
