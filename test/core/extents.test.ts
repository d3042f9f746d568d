import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extents, MAX_PAGES, type Extent, type PageRange } from '../../core/index.js';

/** The pages that the programs below write to; small, so that they meet often. */
const PAGES = 48;

type Command =
  | { readonly type: 'set'; readonly start: number; readonly end: number; readonly value: number }
  | { readonly type: 'delete'; readonly start: number; readonly end: number };

const range = fc
  .tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 20 }))
  .map(([start, length]) => ({ start, end: Math.min(start + length, PAGES) }));

/** Numbers at one of few distances from their pages, so that neighbours often join. */
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(range, fc.constantFrom(0, 0, 0, 7, 2 ** 31 - 24, 2 ** 40))
      .map(([{ start, end }, shift]): Command => ({
        type: 'set',
        start,
        end,
        value: start + shift,
      })),
  },
  { weight: 1, arbitrary: range.map((where): Command => ({ type: 'delete', ...where })) },
);

/** The obvious way: a number for every page. */
class PerPage {
  readonly numbers = new Map<number, number>();

  set(start: number, end: number, value: number): void {
    for (let page = start; page < end; page++) this.numbers.set(page, value + (page - start));
  }

  delete(start: number, end: number): number {
    let removed = 0;
    for (let page = start; page < end; page++) if (this.numbers.delete(page)) removed++;
    return removed;
  }

  runs(start: number, end: number): Extent[] {
    const runs: { start: number; end: number; value: number }[] = [];
    for (let page = start; page < end; page++) {
      const value = this.numbers.get(page);
      if (value === undefined) continue;
      const last = runs.at(-1);
      if (last?.end === page && last.value + (page - last.start) === value) last.end++;
      else runs.push({ start: page, end: page + 1, value });
    }
    return runs;
  }

  ranges(start: number, end: number, held: boolean): PageRange[] {
    const ranges: { start: number; end: number }[] = [];
    for (let page = start; page < end; page++) {
      if (this.numbers.has(page) !== held) continue;
      const last = ranges.at(-1);
      if (last?.end === page) last.end++;
      else ranges.push({ start: page, end: page + 1 });
    }
    return ranges;
  }
}

describe('Extents', () => {
  it('holds nothing before anything is set', () => {
    const extents = new Extents();
    expect(extents.get(0)).toBe(-1);
    expect(extents.has(MAX_PAGES - 1)).toBe(false);
    expect(extents.first()).toBeUndefined();
    expect(extents.limit).toBe(0);
    expect(extents.pages).toBe(0);
    expect(extents.delete(0, MAX_PAGES)).toBe(0);
    expect(extents.runs()).toEqual([]);
    expect(extents.ranges()).toEqual([]);
    expect(extents.holes(3, 5)).toEqual([{ start: 3, end: 5 }]);
  });

  it('is a map from pages to numbers, whatever is set and deleted', () => {
    const program = fc.array(command, { maxLength: 25 });
    fc.assert(
      fc.property(program, range, (program, window) => {
        const extents = new Extents();
        const model = new PerPage();
        for (const { type, start, end, ...rest } of program) {
          if (type === 'delete') {
            expect(extents.delete(start, end)).toBe(model.delete(start, end));
          } else {
            const { value } = rest as { value: number };
            extents.set(start, end, value);
            model.set(start, end, value);
          }
          expect(extents.pages).toBe(model.numbers.size);
          expect(extents.runs()).toEqual(model.runs(0, PAGES));
          expect(extents.first()?.start).toBe(model.runs(0, PAGES)[0]?.start);
        }
        for (let page = 0; page <= PAGES; page++) {
          expect(extents.get(page)).toBe(model.numbers.get(page) ?? -1);
          expect(extents.has(page)).toBe(model.numbers.has(page));
        }
        const { start, end } = window;
        expect(extents.runs(start, end)).toEqual(model.runs(start, end));
        expect(extents.ranges(start, end)).toEqual(model.ranges(start, end, true));
        expect(extents.ranges()).toEqual(model.ranges(0, PAGES, true));
        expect(extents.holes(start, end)).toEqual(model.ranges(start, end, false));
        const firstOf = (held: boolean): number => model.ranges(start, end, held)[0]?.start ?? end;
        expect(extents.firstHeld(start, end)).toBe(firstOf(true));
        expect(extents.firstHole(start, end)).toBe(firstOf(false));
        const runs = model.runs(0, PAGES);
        expect(extents.limit).toBe(runs.at(-1)?.end ?? 0);
        const last = extents.last();
        expect(last && last.value + (last.end - last.start)).toBe(
          runs.length === 0
            ? undefined
            : runs.at(-1)!.value + runs.at(-1)!.end - runs.at(-1)!.start,
        );
        const first = extents.first();
        expect(first?.start).toBe(runs[0]?.start);
        expect(first?.value).toBe(runs[0]?.value);
        // What crosses from one leaf to the next may be told in two.
        if (first !== undefined) expect(first.end).toBeLessThanOrEqual(runs[0]!.end);
        expect(extents.count(start, end)).toBe(
          model.ranges(start, end, true).reduce((pages, held) => pages + held.end - held.start, 0),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('finds the first page that is there, and the first that is not, among many runs', () => {
    const runs = fc.array(
      fc.record({
        gap: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 2 ** 33 })),
        length: fc.integer({ min: 1, max: 3 }),
        jump: fc.nat(2 ** 33),
      }),
      { minLength: 9, maxLength: 60 },
    );
    fc.assert(
      fc.property(
        runs,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (runs, random) => {
          const held: Extent[] = [];
          let at = 0;
          for (const { gap, length, jump } of runs) {
            const start = at + gap;
            at = start + length;
            held.push({ start, end: at, value: jump * 2 });
          }
          const extents = new Extents();
          const order = [...held];
          while (order.length > 0) {
            const next = Math.floor(random.next().value * order.length) % order.length;
            const { start, end, value } = order.splice(next, 1)[0]!;
            extents.set(start, end, value);
          }
          for (const [i, { start, end, value }] of held.entries()) {
            const next = held[i + 1]?.start ?? at + 5;
            expect(extents.get(start)).toBe(value);
            expect(extents.get(end - 1)).toBe(value + (end - 1 - start));
            expect(extents.get(end)).toBe(end === next ? held[i + 1]!.value : -1);
            expect(extents.firstHeld(end, at + 5)).toBe(Math.min(next, at + 5));
            expect(extents.firstHole(start, at)).toBe(end);
          }
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('as a set, holds every page as itself', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 10 }), (ranges) => {
        const extents = new Extents();
        for (const { start, end } of ranges) extents.add(start, end);
        for (let page = 0; page < PAGES; page++) {
          const there = ranges.some(({ start, end }) => page >= start && page < end);
          expect(extents.get(page)).toBe(there ? page : -1);
        }
        expect(extents.runs()).toEqual(
          extents.ranges().map(({ start, end }) => ({ start, end, value: start })),
        );
      }),
    );
  });

  describe('joins neighbours whose numbers follow each other', () => {
    const whole = { start: 0, end: 12, value: 100 };
    const parts = [
      [0, 4, 100],
      [4, 8, 104],
      [8, 12, 108],
    ] as const;

    it.each([
      [[0, 1, 2]],
      [[0, 2, 1]],
      [[1, 0, 2]],
      [[1, 2, 0]],
      [[2, 0, 1]],
      [[2, 1, 0]],
      [[0, 1, 2, 1]],
    ])('set in the order %s', (order) => {
      const extents = new Extents();
      for (const part of order) {
        const [start, end, value] = parts[part]!;
        extents.set(start, end, value);
      }
      expect(extents.runs()).toEqual([whole]);
      expect(extents.first()).toEqual(whole); // Stored as one, not only told as one.
    });

    it('and a part that is set anew inside it changes nothing', () => {
      const extents = new Extents();
      extents.set(0, 12, 100);
      for (const [start, end, value] of parts) extents.set(start, end, value);
      expect(extents.first()).toEqual(whole);
      expect(extents.pages).toBe(12);
    });

    it('but not those whose numbers do not', () => {
      const extents = new Extents();
      extents.set(0, 4, 100);
      extents.set(4, 8, 105);
      expect(extents.runs()).toEqual([
        { start: 0, end: 4, value: 100 },
        { start: 4, end: 8, value: 105 },
      ]);
      expect(extents.ranges()).toEqual([{ start: 0, end: 8 }]);
    });
  });

  describe('far out', () => {
    it('keeps page numbers and values exact up to the largest file', () => {
      const extents = new Extents();
      extents.set(MAX_PAGES - 3, MAX_PAGES, 2 ** 52);
      expect(extents.get(MAX_PAGES - 1)).toBe(2 ** 52 + 2);
      expect(extents.limit).toBe(MAX_PAGES);
      expect(extents.first()).toEqual({ start: MAX_PAGES - 3, end: MAX_PAGES, value: 2 ** 52 });
      expect(extents.delete(MAX_PAGES - 2, MAX_PAGES)).toBe(2);
      expect(extents.limit).toBe(MAX_PAGES - 2);
    });

    it('visits only what is there when a range is huge', () => {
      const extents = new Extents();
      for (const start of [0, 2 ** 30, 2 ** 50]) extents.set(start, start + 2, start);
      // A walk over every span of 2^51 pages would take 2^20 steps.
      expect(extents.holes(0, MAX_PAGES)).toHaveLength(3);
      expect(extents.delete(1, MAX_PAGES)).toBe(5);
      expect(extents.runs()).toEqual([{ start: 0, end: 1, value: 0 }]);
    });
  });

  describe('2^28 pages, filled 512 at a time', () => {
    const END = 2 ** 28;
    const STEP = 512;

    it('are one run', () => {
      const extents = new Extents();
      for (let page = 0; page < END; page += STEP) extents.set(page, page + STEP, page + 1);
      expect(extents.pages).toBe(END);
      expect(extents.limit).toBe(END);
      expect(extents.runs()).toEqual([{ start: 0, end: END, value: 1 }]);
      expect(extents.runs()).toHaveLength(1);
      expect(extents.first()).toEqual({ start: 0, end: END, value: 1 });
    });

    it('are one run too when every other piece came first', () => {
      const extents = new Extents();
      const fill = (from: number): void => {
        for (let page = from; page < END; page += 2 * STEP) extents.set(page, page + STEP, page);
      };
      fill(STEP);
      expect(extents.runs()).toHaveLength(END / STEP / 2);
      expect(extents.holes(0, END)).toHaveLength(END / STEP / 2);
      fill(0);
      expect(extents.runs()).toEqual([{ start: 0, end: END, value: 0 }]);
      expect(extents.delete(0, END)).toBe(END);
      expect(extents.first()).toBeUndefined();
    });
  });
});

describe('short runs beside each other', () => {
  const PAGES = 20_000;

  /** Every page once, in an order that is far from theirs. */
  const order = Array.from({ length: PAGES }, (_, i) => (i * 7919) % PAGES);

  it.each([
    ['that join', (page: number) => page + 5],
    ['that never join', (page: number) => (page * 7) % 32_768],
    ['of large numbers', (page: number) => 2 ** 40 + page * 2],
  ])('%s hold what was set, from the first to the last page', (_, valueOf) => {
    const extents = new Extents();
    for (const [done, page] of order.entries()) {
      extents.set(page, page + 1, valueOf(page));
      if (done % 4000 !== 0) continue;
      const held = order.slice(0, done + 1);
      expect(held.filter((page) => extents.get(page) !== valueOf(page))).toEqual([]);
      expect(extents.count(0, PAGES)).toBe(held.length);
    }
    expect(extents.pages).toBe(PAGES);
    expect(extents.ranges()).toEqual([{ start: 0, end: PAGES }]);
    expect(extents.runs()).toHaveLength(valueOf(1) === valueOf(0) + 1 ? 1 : PAGES);
    expect(extents.limit).toBe(PAGES);
    for (const page of order) expect(extents.delete(page, page + 1)).toBe(1);
    expect(extents.runs()).toEqual([]);
  });

  it('know their first, whatever went before it, came back, or was taken over', () => {
    const extents = new Extents();
    for (let page = 1000; page < 1200; page++) extents.set(page, page + 1, page * 2);
    extents.delete(1000, 1100);
    expect(extents.first()?.start).toBe(1100);
    extents.set(1050, 1051, 5);
    expect(extents.first()?.start).toBe(1050);
    extents.delete(1050, 1051);
    expect(extents.first()?.start).toBe(1100);
    extents.set(0, 1060, 0);
    extents.delete(0, 1060);
    expect(extents.first()).toEqual({ start: 1100, end: 1101, value: 2200 });
  });

  it('give way to a run that covers them, and to one that reaches into them', () => {
    const extents = new Extents();
    for (let page = 1000; page < 2000; page++) extents.set(page, page + 1, page * 2);
    extents.set(0, 1500, 0);
    expect(extents.get(1499)).toBe(1499);
    expect(extents.get(1500)).toBe(3000);
    expect(extents.pages).toBe(2000);
    extents.set(1400, 5000, 9);
    expect(extents.runs()).toEqual([
      { start: 0, end: 1400, value: 0 },
      { start: 1400, end: 5000, value: 9 },
    ]);
    expect(extents.delete(0, 4999)).toBe(4999);
    expect(extents.last()).toEqual({ start: 4999, end: 5000, value: 9 + 3599 });
  });
});

describe('many pages here and there', () => {
  it('hold what was set, whatever the order, across full and split blocks', () => {
    const extents = new Extents();
    const model = new Map<number, number>();
    let state = 12345;
    for (let i = 0; i < 200_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const page = (state >>> 4) * 16; // Of three spans.
      if (model.has(page) && i % 3 === 0) {
        model.delete(page);
        extents.delete(page, page + 1);
      } else {
        model.set(page, i);
        extents.set(page, page + 1, i);
      }
    }
    expect(extents.pages).toBe(model.size);
    expect([...model].filter(([page, value]) => extents.get(page) !== value)).toEqual([]);
    expect(extents.runs()).toHaveLength(model.size);
  });
});
