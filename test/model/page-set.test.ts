import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageSet } from './page-set.js';

const range = fc
  .tuple(fc.nat(40), fc.integer({ min: 1, max: 12 }))
  .map(([start, pages]) => ({ start, end: start + pages }));
const step = fc.record({ add: fc.boolean(), range });

test('a page set is the set of its pages, in ranges that do not touch (seed 1)', () => {
  const property = fc.property(fc.array(step, { maxLength: 40 }), range, (steps, asked) => {
    const set = new PageSet();
    const pages = new Set<number>();
    for (const { add, range } of steps) {
      if (add) set.add(range.start, range.end);
      else set.remove(range.start, range.end);
      for (let page = range.start; page < range.end; page++) {
        if (add) pages.add(page);
        else pages.delete(page);
      }
    }
    const listed = set.within(0, Infinity);
    const held = listed.flatMap(({ start, end }) =>
      Array.from({ length: end - start }, (_, i) => start + i),
    );
    expect(held).toEqual([...pages].sort((a, b) => a - b));
    for (const [i, { start }] of listed.entries()) {
      if (i > 0) expect(start).toBeGreaterThan(listed[i - 1]!.end);
    }
    const wanted = Array.from({ length: asked.end - asked.start }, (_, i) => asked.start + i);
    expect(set.touches(asked.start, asked.end)).toBe(wanted.some((page) => pages.has(page)));
    expect(set.covers(asked.start, asked.end)).toBe(wanted.every((page) => pages.has(page)));
  });
  fc.assert(property, { seed: 1, numRuns: 500 });
});
