import type { MappingBudget, PfnRun } from '../../core/index.js';

/** How many entries pages need at most; one each when their frames are not known. */
export function countEntries(pages: Parameters<MappingBudget['cost']>[0]): number {
  const known: PfnRun[] = [];
  let unknown = 0;
  for (const { start, end, pfn } of pages) {
    if (pfn === undefined) unknown += end - start;
    else known.push({ start, end, pfn });
  }
  return joinRuns(known).length + unknown;
}

/** Joins sorted runs that are contiguous in pages and frames. */
export function joinRuns(runs: readonly PfnRun[]): PfnRun[] {
  const joined: { start: number; end: number; pfn: number }[] = [];
  for (const { start, end, pfn } of runs) {
    const last = joined.at(-1);
    if (last?.end === start && last.pfn + (start - last.start) === pfn) last.end = end;
    else joined.push({ start, end, pfn });
  }
  return joined;
}
