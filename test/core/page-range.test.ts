import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PAGES, type PageRange } from '../../core/index.js';
import {
  checkRange,
  clip,
  countPages,
  firstIn,
  formatRange,
  isPageCount,
  normalize,
  overlaps,
  subtract,
} from '../../core/page-range.js';

const range: fc.Arbitrary<PageRange> = fc
  .tuple(fc.nat(40), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]) => ({ start, end: start + length }));

const ranges = fc.array(range, { maxLength: 8 });

/** Sorted and disjoint, as most callers have them; some touch. */
const sorted = fc
  .array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 6 })), { maxLength: 8 })
  .map((pairs) => {
    let at = 0;
    return pairs.map(([gap, length]) => {
      const start = at + gap;
      at = start + length;
      return { start, end: at };
    });
  });

const pagesOf = (ranges: readonly PageRange[]): Set<number> => {
  const pages = new Set<number>();
  for (const { start, end } of ranges) for (let page = start; page < end; page++) pages.add(page);
  return pages;
};

const isSorted = (ranges: readonly PageRange[]): boolean =>
  ranges.every(({ start, end }, i) => start < end && (i === 0 || ranges[i - 1]!.end <= start));

describe('checkRange', () => {
  it.each([
    [-1, 1, 'start'],
    [0.5, 1, 'start'],
    [NaN, 1, 'start'],
    ['0', 1, 'start'],
    [0n, 1, 'start'],
    [undefined, 1, 'start'],
    [0, Infinity, 'end'],
    [0, 2 ** 53, 'end'],
    [0, null, 'end'],
    [3, 3, 'below'],
    [4, 3, 'below'],
  ])('refuses [%s, %s) and names the argument', (start, end, named) => {
    const check = (): void => checkRange('punchHole', start as number, end as number);
    expect(check).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: 'punchHole' }));
    expect(check).toThrow(named);
  });

  it.each([
    [0, 1],
    [7, 8],
    [0, MAX_PAGES],
    [MAX_PAGES - 1, MAX_PAGES],
  ])('accepts [%s, %s)', (start, end) => {
    expect(() => checkRange('punchHole', start, end)).not.toThrow();
    expect(isPageCount(start) && isPageCount(end)).toBe(true);
  });
});

describe('ranges, against sets of pages', () => {
  it('subtract leaves what is not taken, sorted and disjoint', () => {
    fc.assert(
      fc.property(sorted, sorted, (from, taken) => {
        const gone = pagesOf(taken);
        const left = subtract(from, taken);
        expect(pagesOf(left)).toEqual(
          new Set([...pagesOf(from)].filter((page) => !gone.has(page))),
        );
        expect(isSorted(left)).toBe(true);
        expect(countPages(left)).toBe(pagesOf(left).size);
      }),
      { numRuns: 500 },
    );
  });

  it('subtract of everything is nothing, of nothing is everything', () => {
    fc.assert(
      fc.property(sorted, (from) => {
        expect(subtract(from, [])).toEqual(from);
        expect(subtract(from, from)).toEqual([]);
        expect(subtract([], from)).toEqual([]);
      }),
    );
  });

  it('clip keeps what lies within', () => {
    fc.assert(
      fc.property(sorted, range, (from, within) => {
        const own = pagesOf([within]);
        const clipped = clip(from, within);
        expect(pagesOf(clipped)).toEqual(
          new Set([...pagesOf(from)].filter((page) => own.has(page))),
        );
        expect(isSorted(clipped)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('normalize keeps the pages, in the fewest sorted ranges, and changes nothing it was given', () => {
    fc.assert(
      fc.property(ranges, (given) => {
        const before = structuredClone(given);
        const joined = normalize(given);
        expect(given).toEqual(before);
        expect(pagesOf(joined)).toEqual(pagesOf(given));
        expect(joined.every(({ start }, i) => i === 0 || joined[i - 1]!.end < start)).toBe(true);
        expect(normalize(joined)).toEqual(joined);
        expect(normalize(new Set(given))).toEqual(joined);
      }),
      { numRuns: 500 },
    );
  });

  it('overlaps is sharing a page', () => {
    fc.assert(
      fc.property(range, range, (a, b) => {
        const shared = [...pagesOf([a])].some((page) => pagesOf([b]).has(page));
        expect(overlaps(a, b)).toBe(shared);
        expect(overlaps(b, a)).toBe(shared);
      }),
    );
  });
});

describe('formatRange', () => {
  it('is half-open, and endless from the largest file on', () => {
    expect(formatRange(0, 4)).toBe('[0, 4)');
    expect(formatRange(2, MAX_PAGES)).toBe('[2, ∞)');
    expect(formatRange(2, MAX_PAGES + 1)).toBe('[2, ∞)');
  });
});

describe('firstIn', () => {
  it('is the first page of what is left when sorted ranges are clipped', () => {
    fc.assert(
      fc.property(sorted, range, (ranges, within) => {
        expect(firstIn(ranges, within)).toBe(clip(ranges, within)[0]?.start);
      }),
    );
  });
});
