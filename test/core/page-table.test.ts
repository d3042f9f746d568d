import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extents, type Extent } from '../../core/index.js';
import { numbers } from './numbers.js';

/** Enough for a table, to leave it, and to come back to it. */
const STEPS = 6000;

const setting = fc.record({
  seed: fc.nat(),
  pages: fc.constantFrom(5, 300, 900, 2100, 20_000),
  /** One of so many changes is of more pages, or of numbers or pages that no table has. */
  odd: fc.constantFrom(700, 3000, STEPS),
  /** How many of ten steps set pages. */
  sets: fc.constantFrom(4, 6, 9),
});

function runsOf(model: ReadonlyMap<number, number>, from: number, to: number): Extent[] {
  const runs: { start: number; end: number; value: number }[] = [];
  for (const page of [...model.keys()].sort((a, b) => a - b)) {
    if (page < from || page >= to) continue;
    const value = model.get(page)!;
    const last = runs.at(-1);
    if (last?.end === page && last.value + (page - last.start) === value) last.end++;
    else runs.push({ start: page, end: page + 1, value });
  }
  return runs;
}

function compare(extents: Extents, model: ReadonlyMap<number, number>, from: number, to: number) {
  const runs = runsOf(model, from, to);
  const pages = runs.reduce((sum, run) => sum + run.end - run.start, 0);
  expect(extents.runs(from, to)).toEqual(runs);
  expect(extents.count(from, to)).toBe(pages);
  expect(extents.firstHeld(from, to)).toBe(runs[0]?.start ?? to);
  const holes = extents.holes(from, to);
  expect(holes.reduce((sum, hole) => sum + hole.end - hole.start, 0)).toBe(to - from - pages);
  expect(extents.firstHole(from, to)).toBe(holes[0]?.start ?? to);
}

describe('pages that come and go a few at a time, again and again', () => {
  it('hold what was set last', () => {
    fc.assert(
      fc.property(setting, ({ seed, pages, odd, sets }) => {
        const random = numbers(seed);
        const extents = new Extents();
        const model = new Map<number, number>();
        const set = (start: number, end: number, value: number): void => {
          extents.set(start, end, value);
          for (let page = start; page < end; page++) model.set(page, value + (page - start));
        };
        const remove = (start: number, end: number): void => {
          let held = 0;
          for (let page = start; page < end; page++) if (model.delete(page)) held++;
          expect(extents.delete(start, end)).toBe(held);
        };
        const oddities = [
          () => set(0, pages + 65, 1000), // More at once.
          () => remove(0, pages + 65),
          () => set(1, 3, 2 ** 31 - 3), // Numbers, or pages, that need more room.
          () => set(3, 4, 2 ** 40),
          () => set(2 * pages + 400, 2 * pages + 402, 5),
          () => set(2 ** 21, 2 ** 21 + 1, 5),
          () => remove(2 * pages + 400, 2 ** 21 + 1),
        ];
        for (let i = 0; i < STEPS; i++) {
          const start = random(pages);
          const end = start + 1 + (random(4) === 0 ? random(64) : 0);
          if (random(odd) === 0) oddities[random(oddities.length)]!();
          else if (random(10) < sets) {
            // Mostly what joins neighbours, whoever comes first.
            set(start, end, random(3) === 0 ? random(2) * random(1e6) : start + 7);
          } else remove(start, end);
          const page = random(pages);
          if (extents.get(page) !== (model.get(page) ?? -1)) {
            expect({ page, value: extents.get(page) }).toEqual({ page, value: model.get(page) });
          }
          if (i % 100 > 0) continue;
          expect(extents.pages).toBe(model.size);
          const runs = runsOf(model, 0, Infinity);
          const last = extents.last();
          // Of a run that is kept in two parts, the last of them.
          expect(last?.end).toBe(runs.at(-1)?.end);
          expect(last?.value).toBe(last && model.get(last.start));
          expect(extents.limit).toBe(runs.at(-1)?.end ?? 0);
          expect(extents.first()?.start).toBe(runs[0]?.start);
          compare(extents, model, 0, 2 ** 22);
          compare(extents, model, random(pages), pages + random(pages));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leave as they were asked to, whenever a table would be made', () => {
    for (let sets = 1000; sets <= 1050; sets++) {
      const extents = new Extents();
      const holds = (page: number): number => ((page * 7) % 1000) + (page % 2) * 5000;
      for (let i = 0; i < sets; i++) extents.set(i % 400, (i % 400) + 1, holds(i % 400));
      expect(extents.delete(3, 300)).toBe(297);
      expect(extents.pages).toBe(103);
      expect(extents.ranges()).toEqual([
        { start: 0, end: 3 },
        { start: 300, end: 400 },
      ]);
    }
  });

  it('are looked through in few steps where many of them are one run', () => {
    const extents = new Extents();
    extents.set(0, 2 ** 16, 1);
    for (let i = 0; i < 2 ** 16 + 2000; i++) {
      const page = (i * 7919) % 2 ** 16;
      extents.delete(page, page + 1);
      extents.set(page, page + 1, page + 1);
    }
    expect(extents.runs()).toEqual([{ start: 0, end: 2 ** 16, value: 1 }]);
    expect(extents.last()).toEqual({ start: 0, end: 2 ** 16, value: 1 });
  });
});
