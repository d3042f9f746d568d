import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RUNS } from '../../core/extent-leaf.js';
import { Extents } from '../../core/index.js';
import { numbers } from './numbers.js';

/** Steps of one program: enough that leaves fill, split, turn into tables and become empty again. */
const STEPS = 2500;

/** What a program is about: pages beside each other from `base` on. */
const setting = fc.record({
  seed: fc.nat(),
  pages: fc.constantFrom(200, 3000),
  base: fc.constantFrom(0, 2 ** 31 - 100, 2 ** 40),
  longest: fc.constantFrom(2, 8, 40),
  /** How many of ten steps set pages. */
  sets: fc.constantFrom(4, 6, 8),
});

describe('pages that come and go beside each other', () => {
  it('hold what was set last, wherever one looks in between', () => {
    fc.assert(
      fc.property(setting, ({ seed, pages, base, longest, sets }) => {
        const random = numbers(seed);
        const extents = new Extents();
        const model = new Float64Array(pages).fill(-1);
        const valueFor = (start: number, end: number): number => {
          // Now and then what joins a neighbour, and what needs more room.
          const kind = random(6);
          if (kind === 0 && start > 0 && model[start - 1]! >= 0) return model[start - 1]! + 1;
          if (kind === 1 && end < pages && model[end]! >= end - start) {
            return model[end]! - (end - start);
          }
          if (kind === 2) return 2 ** 31 - random(50);
          return kind === 3 ? base + start : random(1e6);
        };
        for (let i = 0; i < STEPS; i++) {
          const start = random(pages);
          const end = Math.min(pages, start + 1 + random(longest));
          if (random(10) < sets) {
            const value = valueFor(start, end);
            extents.set(base + start, base + end, value);
            for (let page = start; page < end; page++) model[page] = value + (page - start);
          } else {
            let held = 0;
            for (let page = start; page < end; page++) if (model[page]! >= 0) held++;
            expect(extents.delete(base + start, base + end)).toBe(held);
            model.fill(-1, start, end);
          }
          const page = random(pages);
          if (extents.get(base + page) !== model[page]) {
            expect({ page, value: extents.get(base + page) }).toEqual({ page, value: model[page] });
          }
          if (i % 50 === 0) {
            const held = [...model.keys()].filter((each) => model[each]! >= 0);
            expect(extents.pages).toBe(held.length);
            expect(extents.limit).toBe(held.length === 0 ? 0 : base + held.at(-1)! + 1);
            expect(extents.first()?.start).toBe(held.length === 0 ? undefined : base + held[0]!);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a leaf of extents that is full', () => {
  it('finds all that it holds after its last run has grown', () => {
    for (let asked = 1; asked <= RUNS; asked++) {
      const extents = new Extents();
      for (let run = 1; run <= RUNS; run++) extents.set(run * 10, run * 10 + 1, 5);
      extents.set(RUNS * 10 + 1, RUNS * 10 + 2, 6);
      expect(extents.get(asked * 10)).toBe(5);
    }
  });
});
