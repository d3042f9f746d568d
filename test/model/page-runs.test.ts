import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageRuns, type PageRun } from './page-runs.js';

/** Around where a bucket begins and ends, and far away. */
const start = fc.oneof(fc.nat(90), fc.integer({ min: 2000, max: 2090 }), fc.constant(2 ** 40));
const range = fc
  .tuple(
    fc.oneof(start, fc.constantFrom(0, 1, 2048)),
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) },
      fc.nat(4100),
      fc.constantFrom(2046, 2047),
    ),
  )
  .map(([start, pages]) => ({ start, end: start + 1 + pages }));
const step = fc.record({
  range,
  // Of those that have no number of their own every page has itself, so that runs are joined.
  value: fc.option(fc.oneof(fc.constant(-1), fc.nat(5), fc.constantFrom(2 ** 31 - 2, 2 ** 50))),
});

test('page runs are a map of their pages, as a list and as a table (seed 1)', () => {
  const tables = { seen: 0 };
  const property = fc.property(fc.array(step, { maxLength: 12 }), range, (steps, asked) => {
    const runs = new PageRuns();
    const pages = new Map<number, number>();
    // Every second page, so that the first bucket is a table, or not.
    const scattered = steps.length % 2 === 0 ? 300 : 0;
    for (let page = 0; page < scattered; page += 2) {
      runs.add(page, page + 1, 7);
      pages.set(page, 7);
    }
    if (scattered > 0) tables.seen++;
    for (const { range, ...given } of steps) {
      const { start, end } = range;
      const value = given.value ?? start;
      const there = Array.from({ length: end - start }, (_, i) => pages.has(start + i));
      if (value < 0) {
        const within = runs.within(start, end);
        const removed: PageRun[] = [];
        runs.remove(start, end, (from, to, first) => {
          removed.push({ start: from, end: to, value: first });
        });
        expect(removed).toEqual(within);
      } else expect(runs.add(start, end, value)).toBe(there.includes(true));
      for (let page = start; page < end; page++) {
        if (value < 0) pages.delete(page);
        else pages.set(page, value + (page - start));
      }
    }
    const held = runs
      .within(0, Infinity)
      .flatMap(({ start, end, value }) =>
        Array.from({ length: end - start }, (_, i) => [start + i, value + i]),
      );
    expect(held).toEqual([...pages].sort(([a], [b]) => a - b));
    const wanted = Array.from({ length: asked.end - asked.start }, (_, i) => asked.start + i);
    expect(runs.touches(asked.start, asked.end)).toBe(wanted.some((page) => pages.has(page)));
    expect(wanted.map((page) => runs.get(page))).toEqual(
      wanted.map((page) => pages.get(page) ?? -1),
    );
    const within = runs.within(asked.start, asked.end);
    expect(within.every(({ start, end }) => start >= asked.start && end <= asked.end)).toBe(true);
  });
  fc.assert(property, { seed: 1, numRuns: 250 });
  expect(tables.seen).toBeGreaterThan(50);
});
