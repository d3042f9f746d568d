import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extents, type Extent } from '../../core/index.js';

/** So many runs that they lie in many leaves, and those in more than one branch. */
const MANY = 6000;

/** Pages as an array of what they hold, far apart when `stride` is large. */
class Model {
  readonly held = new Map<number, number>();

  set(start: number, end: number, value: number): void {
    for (let page = start; page < end; page++) this.held.set(page, value + (page - start));
  }

  delete(start: number, end: number): number {
    let removed = 0;
    if (end - start < this.held.size) {
      for (let page = start; page < end; page++) if (this.held.delete(page)) removed++;
    } else {
      for (const page of this.held.keys()) {
        if (page >= start && page < end && this.held.delete(page)) removed++;
      }
    }
    return removed;
  }

  runs(start: number, end: number): Extent[] {
    const runs: { start: number; end: number; value: number }[] = [];
    const pages = [...this.held.keys()].filter((page) => page >= start && page < end);
    for (const page of pages.sort((a, b) => a - b)) {
      const value = this.held.get(page)!;
      const last = runs.at(-1);
      if (last?.end === page && last.value + (page - last.start) === value) last.end++;
      else runs.push({ start: page, end: page + 1, value });
    }
    return runs;
  }
}

interface Step {
  readonly sets: boolean;
  readonly slot: number;
  readonly length: number;
  readonly value: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  sets: fc.boolean(),
  slot: fc.nat(MANY),
  length: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 }), fc.nat(1500)),
  value: fc.constantFrom(-1, -1, 7, 2 ** 31 - 9000, 2 ** 40),
});

/** One page of each `stride`, in an order far from theirs. */
const filling = fc.record({
  count: fc.constantFrom(0, 100, MANY),
  stride: fc.constantFrom(1, 2, 3, 6, 9, 2 ** 33),
  by: fc.constantFrom(1, 4591, MANY - 1),
  joins: fc.boolean(),
});

function compare(extents: Extents, model: Model, start: number, end: number): void {
  const runs = model.runs(start, end);
  expect(extents.runs(start, end)).toEqual(runs);
  const pages = runs.reduce((sum, run) => sum + run.end - run.start, 0);
  expect(extents.count(start, end)).toBe(pages);
  expect(extents.firstHeld(start, end)).toBe(runs[0]?.start ?? end);
  const held = extents.ranges(start, end);
  expect(held.reduce((sum, range) => sum + range.end - range.start, 0)).toBe(pages);
  const holes = extents.holes(start, end);
  expect(holes.reduce((sum, range) => sum + range.end - range.start, 0)).toBe(end - start - pages);
  expect(extents.firstHole(start, end)).toBe(holes[0]?.start ?? end);
  expect(holes.some((hole) => extents.count(hole.start, hole.end) > 0)).toBe(false);
}

describe('many extents', () => {
  it('are a map from pages to numbers, whatever is set and deleted', () => {
    fc.assert(
      fc.property(filling, fc.array(step, { maxLength: 40 }), (filling, steps) => {
        const extents = new Extents();
        const model = new Model();
        const { count, stride, by, joins } = filling;
        for (let i = 0; i < count; i++) {
          const page = ((i * by) % count) * stride;
          const value = joins ? page + 5 : i * 3;
          extents.set(page, page + 1, value);
          model.held.set(page, value);
        }
        expect(extents.pages).toBe(model.held.size);
        const step = stride > 9 ? 1 : stride;
        for (const { sets, slot, length, value } of steps) {
          const start = slot * stride;
          const end = start + length * step;
          if (sets) {
            const number = value < 0 ? start + 5 : value;
            extents.set(start, end, number);
            model.set(start, end, number);
          } else {
            // Of pages far apart, some of them.
            const stop = step < stride ? start + length * stride : end;
            expect(extents.delete(start, stop)).toBe(model.delete(start, stop));
          }
          expect(extents.pages).toBe(model.held.size);
          compare(extents, model, Math.max(0, start - 50), end + 50);
        }
        const whole = MANY * stride * 2 + 4000;
        compare(extents, model, 0, whole);
        const runs = model.runs(0, whole);
        expect(extents.limit).toBe(runs.at(-1)?.end ?? 0);
        expect(extents.first()?.start).toBe(runs[0]?.start);
        for (const { start, end, value } of runs) {
          expect(extents.get(end - 1)).toBe(value + (end - 1 - start));
        }
        expect(extents.delete(0, whole)).toBe(model.held.size);
        expect(extents.first()).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('that are one run again are stored as one', () => {
    const extents = new Extents();
    const pages = 20_000 * 8;
    extents.set(0, pages, 1);
    for (let i = 0; i < 20_000; i++)
      extents.delete(((i * 7919) % 20_000) * 8, ((i * 7919) % 20_000) * 8 + 1);
    expect(extents.runs()).toHaveLength(20_000);
    for (let i = 0; i < 20_000; i++) {
      const page = ((i * 4591) % 20_000) * 8;
      extents.set(page, page + 1, page + 1);
    }
    expect(extents.first()).toEqual({ start: 0, end: pages, value: 1 });
  });

  it('begin anew once there are none, also with numbers of another size', () => {
    const extents = new Extents();
    for (const shift of [0, 2 ** 40, 0]) {
      for (let i = 0; i < 5000; i++) extents.set(i * 500, i * 500 + 1, shift + i * 3);
      extents.set(0, 500 * 5000, 2 ** 50);
      expect(extents.runs()).toEqual([{ start: 0, end: 500 * 5000, value: 2 ** 50 }]);
      for (let i = 0; i < 5000; i++) extents.set(i * 500, i * 500 + 1, shift + i * 3);
      expect(extents.delete(0, 500 * 5000)).toBe(500 * 5000);
      expect(extents.first()).toBeUndefined();
    }
  });

  it('in pages beside each other too, once they were filled in any order', () => {
    const extents = new Extents();
    for (let i = 0; i < 50_000; i++) {
      const page = (i * 7919) % 50_000;
      extents.set(page, page + 1, page + 1);
    }
    expect(extents.runs()).toEqual([{ start: 0, end: 50_000, value: 1 }]);
  });
});
