import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extents } from '../../core/index.js';
import { restoreExtents, saveExtents } from '../../core/saved-extents.js';

const far = fc.oneof(
  fc.nat(40),
  fc.nat(5000),
  fc.maxSafeNat().map((page) => page % 2 ** 50),
);
const run = fc.record({
  start: far,
  pages: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(31, 32, 2 ** 31, 2 ** 33 + 5)),
  value: fc.oneof(fc.nat(3), far),
});

describe('saved extents', () => {
  it('are the same again, and go on being a map (seed 1)', () => {
    const property = fc.property(fc.array(run, { maxLength: 60 }), run, (runs, more) => {
      const map = new Extents();
      for (const { start, pages, value } of runs) map.set(start, start + pages, value);
      const text = saveExtents(map);
      expect(JSON.stringify(text)).toBe(`"${text}"`);
      const again = restoreExtents(text);
      expect(again.runs()).toEqual(map.runs());
      expect(again.pages).toBe(map.pages);
      for (const each of [map, again]) {
        each.set(more.start, more.start + more.pages, more.value);
        each.delete(more.start + 3, more.start + 9);
      }
      expect(again.runs()).toEqual(map.runs());
      expect(again.pages).toBe(map.pages);
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('of many runs fill blocks as runs that were set one by one', () => {
    const map = new Extents();
    for (let page = 5; page < 9000; page += 3) map.set(page, page + 2, 20_000 - page);
    const again = restoreExtents(saveExtents(map));
    for (const each of [map, again]) {
      for (let page = 0; page < 9000; page += 7) each.set(page, page + 1, page);
      each.delete(400, 3000);
    }
    expect(again.runs()).toEqual(map.runs());
    expect([again.pages, again.limit]).toEqual([map.pages, map.limit]);
    expect(again.get(3011)).toBe(map.get(3011));
  });

  it('take a few characters each, where frames are anywhere', () => {
    const map = new Extents();
    for (let page = 0; page < 2000; page += 2) map.set(page, page + 1, (page * 7919) % 2 ** 20);
    expect(saveExtents(map).length).toBeLessThan(8 * 1000);
  });
});
