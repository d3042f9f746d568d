import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PAGES, type PageRange } from '../../core/index.js';
import { RangeIndex, type Ranged } from '../../core/range-index.js';

const rangeBelow = (pages: number): fc.Arbitrary<PageRange> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.nat(pages), fc.integer({ min: 1, max: 12 }))
        .map(([start, length]) => ({ start, end: start + length })),
    },
    // Some that reach over all the others: the tree has to look below them.
    { weight: 1, arbitrary: fc.nat(pages).map((start) => ({ start, end: MAX_PAGES })) },
  );

const range = rangeBelow(60);

type Step =
  | { readonly type: 'add'; readonly range: PageRange }
  | { readonly type: 'delete'; readonly which: number }
  | { readonly type: 'collect'; readonly range: PageRange };

const stepBelow = (pages: number): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 4, arbitrary: rangeBelow(pages).map((range): Step => ({ type: 'add', range })) },
    { weight: 3, arbitrary: fc.nat().map((which): Step => ({ type: 'delete', which })) },
    { weight: 2, arbitrary: rangeBelow(pages).map((range): Step => ({ type: 'collect', range })) },
  );

const program = fc.array(stepBelow(60), { maxLength: 120 });

/** Of so many that come first the tree has three levels. */
const MANY = 1500;

const largeProgram = fc.array(stepBelow(MANY), { minLength: 60, maxLength: 300 });

/** Ranges that come in no order, one of each 500 reaching over all that follow. */
const many: readonly Step[] = Array.from({ length: MANY }, (_, i) => {
  const start = (i * 617) % MANY;
  return { type: 'add', range: { start, end: i % 500 === 7 ? MAX_PAGES : start + 1 + (i % 5) } };
});

const collect = <T extends Ranged>(index: RangeIndex<T>, { start, end }: PageRange): T[] => {
  const found: T[] = [];
  index.collect(start, end, found);
  return found;
};

const orders = (items: readonly Ranged[]): number[] => items.map(({ order }) => order);

const ascending = (items: readonly Ranged[]): number[] => orders(items).sort((a, b) => a - b);

/** Takes the steps, `check` after each; answers the index and what a plain list holds. */
const play = (
  steps: readonly Step[],
  check: (index: RangeIndex<Ranged>, items: readonly Ranged[], step: Step) => void = () => {},
) => {
  const index = new RangeIndex<Ranged>();
  const items: Ranged[] = [];
  for (const [order, step] of steps.entries()) {
    if (step.type === 'add') {
      const item = { ...step.range, order };
      items.push(item);
      index.add(item);
    } else if (step.type === 'delete' && items.length > 0) {
      index.delete(items.splice(step.which % items.length, 1)[0]!);
    }
    check(index, items, step);
  }
  return { index, items };
};

describe('RangeIndex', () => {
  it('finds nothing when it is empty', () => {
    const index = new RangeIndex<Ranged>();
    expect(index.size).toBe(0);
    expect(collect(index, { start: 0, end: MAX_PAGES })).toEqual([]);
  });

  it('does not take touching for overlapping', () => {
    const index = new RangeIndex<Ranged>();
    index.add({ start: 4, end: 8, order: 1 });
    expect(collect(index, { start: 0, end: 4 })).toEqual([]);
    expect(collect(index, { start: 8, end: 12 })).toEqual([]);
    expect(orders(collect(index, { start: 7, end: 8 }))).toEqual([1]);
  });

  it.each([
    ['a few', program, 300],
    ['many', largeProgram.map((steps) => [...many, ...steps]), 40],
  ])('finds what a scan finds, among additions and deletions of %s', (_, programs, numRuns) => {
    fc.assert(
      fc.property(programs, (steps) => {
        play(steps, (index, items, step) => {
          expect(index.size).toBe(items.length);
          if (step.type !== 'collect') return;
          const { start, end } = step.range;
          const scanned = items.filter((item) => item.start < end && start < item.end);
          expect(ascending(collect(index, step.range))).toEqual(ascending(scanned));
        });
      }),
      { numRuns },
    );
  });

  it('is empty again when everything was deleted, in whatever order', () => {
    fc.assert(
      fc.property(program, fc.array(fc.nat()), (steps, which) => {
        const { index, items } = play(steps);
        for (let i = 0; items.length > 0; i++) {
          const at = (which[i] ?? 0) % items.length;
          index.delete(items.splice(at, 1)[0]!);
          expect(ascending(collect(index, { start: 0, end: MAX_PAGES }))).toEqual(ascending(items));
        }
        expect(index.size).toBe(0);
      }),
    );
  });

  it('refuses to delete what is not there, and stays as it was', () => {
    const stranger = { start: 3, end: 4, order: -1 };
    expect(() => new RangeIndex<Ranged>().delete(stranger)).toThrow(RangeError);
    const all = { start: 0, end: MAX_PAGES };
    const { index: full, items } = play(many);
    expect(() => full.delete(stranger)).toThrow(RangeError);
    expect(full.size).toBe(MANY);
    expect(ascending(collect(full, all))).toEqual(ascending(items));
    for (const item of items) full.delete(item);
    expect(() => full.delete(items[0]!)).toThrow(RangeError);
    expect(full.size).toBe(0);
  });

  it('answers in the same order after the same calls', () => {
    fc.assert(
      fc.property(program, range, (steps, range) => {
        const [one, other] = [play(steps), play(steps)];
        expect(orders(collect(one.index, range))).toEqual(orders(collect(other.index, range)));
      }),
    );
  });

  it('appends to what was found before', () => {
    const index = new RangeIndex<Ranged>();
    const item = { start: 0, end: 1, order: 2 };
    index.add(item);
    const found: Ranged[] = [{ start: 0, end: 1, order: 1 }];
    index.collect(0, 1, found);
    expect(orders(found)).toEqual([1, 2]);
  });

  it.each([
    ['rising', (i: number) => i],
    ['falling', (i: number) => 50_000 - i],
    ['all the same', () => 7],
  ])('takes 50,000 ranges whose starts are %s', (_, startOf) => {
    const index = new RangeIndex<Ranged>();
    const items = Array.from({ length: 50_000 }, (_, order) => ({
      start: startOf(order),
      end: startOf(order) + 1,
      order,
    }));
    for (const item of items) index.add(item);
    const { start } = items[100]!;
    const same = items.filter((item) => item.start === start).length;
    expect(collect(index, { start, end: start + 1 })).toHaveLength(same);
    for (const item of items.slice(1)) index.delete(item);
    expect(index.size).toBe(1);
    expect(orders(collect(index, { start: 0, end: MAX_PAGES }))).toEqual([0]);
  });
});
