import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IommuTable } from '../../../adapters/encrypted-device/index.js';

/** The entries of a map from pages to frames, counted anew. */
function entriesOf(frames: ReadonlyMap<number, number>): { start: number; end: number }[] {
  const entries: { start: number; end: number }[] = [];
  for (const page of [...frames.keys()].sort((a, b) => a - b)) {
    const last = entries.at(-1);
    const joins = last?.end === page && frames.get(page - 1) === frames.get(page)! - 1;
    if (joins) last!.end = page + 1;
    else entries.push({ start: page, end: page + 1 });
  }
  return entries;
}

describe('an IOMMU table', () => {
  it('joins what is contiguous in both, and splits what is cut', () => {
    const table = new IommuTable(8);
    expect(table.map(0, 4, 100)).toBe(true);
    expect(table.map(8, 12, 108)).toBe(true);
    expect(table.map(4, 8, 104)).toBe(true);
    expect(table.entries).toBe(1);
    expect(table.peak).toBe(2);
    expect(table.unmap(5, 7)).toEqual({ start: 5, end: 7, pages: 2 });
    expect({ entries: table.entries, splits: table.splits }).toEqual({ entries: 2, splits: 1 });
    expect(table.map(5, 7, 300)).toBe(true);
    expect(table.entries).toBe(3);
    expect(table.translate(6)).toBe(301);
    expect(table.translate(12)).toBe(-1);
  });

  it('refuses an entry too many, and not one that only grows another', () => {
    const table = new IommuTable(1);
    expect(table.map(0, 1, 7)).toBe(true);
    expect(table.map(1, 2, 9)).toBe(false);
    expect(table.map(1, 2, 8)).toBe(true);
    expect({ entries: table.entries, pages: table.pages }).toEqual({ entries: 1, pages: 2 });
    table.reserve(-1);
    expect(table.map(2, 3, 0)).toBe(true);
    table.reserve(1);
    expect(table.used).toBe(2);
  });

  it.each([
    { cut: [2, 3], gone: { start: 0, end: 3 }, dropped: 2 },
    { cut: [7, 8], gone: { start: 7, end: 10 }, dropped: 2 },
    { cut: [4, 6], gone: { start: 4, end: 10 }, dropped: 4 },
    { cut: [0, 2], gone: { start: 0, end: 2 }, dropped: 0 },
  ])('at its limit, cutting $cut drops the smaller half', ({ cut, gone, dropped }) => {
    const table = new IommuTable(1);
    table.map(0, 10, 50);
    expect(table.unmap(cut[0]!, cut[1]!)).toEqual({ ...gone, pages: gone.end - gone.start });
    expect(table).toMatchObject({ entries: 1, splits: 0, droppedPages: dropped });
  });

  it('has no room for a half in what is promised to others', () => {
    const table = new IommuTable(2);
    table.map(0, 10, 50);
    table.reserve(1);
    expect(table.unmap(8, 9)).toEqual({ start: 8, end: 10, pages: 2 });
  });

  it('finds the whole of an entry that crosses chunks and lies among others', () => {
    const table = new IommuTable(4);
    const far = 2 ** 20;
    table.map(far - 3000, far + 2000, 5);
    table.map(far + 2000, far + 2001, 1);
    table.map(far - 3001, far - 3000, 1);
    table.reserve(1);
    expect(table.unmap(far + 1, far + 2)).toEqual({ start: far + 1, end: far + 2000, pages: 1999 });
    expect(table.entries).toBe(3);
  });

  it('counts its entries as a plain map does (1000 programs, seed 4)', () => {
    const step = fc.record({
      map: fc.boolean(),
      start: fc.nat(24),
      length: fc.integer({ min: 1, max: 8 }),
      pfn: fc.nat(12),
    });
    const program = fc.array(step, { maxLength: 20 });
    fc.assert(
      fc.property(program, fc.integer({ min: 0, max: 6 }), (steps, limit) => {
        const table = new IommuTable(limit);
        const frames = new Map<number, number>();
        for (const { map, start, length, pfn } of steps) {
          if (map) {
            for (const hole of table.holes(start, start + length)) {
              const first = pfn + hole.start;
              const after = new Map(frames);
              for (let p = hole.start; p < hole.end; p++) after.set(p, first + p - hole.start);
              const fits = entriesOf(after).length <= Math.max(limit, entriesOf(frames).length);
              expect(table.map(hole.start, hole.end, first)).toBe(fits);
              if (!fits) continue;
              for (const [page, frame] of after) frames.set(page, frame);
            }
          } else {
            const end = start + length;
            const before = entriesOf(frames);
            const gone = table.unmap(start, end);
            const cut = before.find((entry) => entry.start < start && end < entry.end);
            const wide = cut !== undefined && before.length >= limit;
            expect(gone.end - gone.start > length).toBe(wide);
            let pages = 0;
            for (let p = gone.start; p < gone.end; p++) pages += Number(frames.delete(p));
            expect(gone.pages).toBe(pages);
            if (wide) {
              const less = Math.min(start - cut.start, cut.end - end);
              expect(gone.end - gone.start - length).toBe(less);
            }
          }
          expect(table.entries).toBe(entriesOf(frames).length);
          expect(table.entries).toBeLessThanOrEqual(limit);
          const all = Array.from({ length: 34 }, (_, page) => page);
          const wrong = all.filter((page) => table.translate(page) !== (frames.get(page) ?? -1));
          expect(wrong).toEqual([]);
        }
      }),
      { seed: 4, numRuns: 1000 },
    );
  });
});
