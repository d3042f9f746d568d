import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PAGES, type PageRange } from '../../core/index.js';
import { Stretches } from '../../core/stretches.js';

const page = fc.oneof(
  fc.nat(40), // So that bounds meet.
  fc.nat(100_000),
  fc.constantFrom(0, MAX_PAGES - 1),
);

const range: fc.Arbitrary<PageRange> = fc
  .tuple(page, fc.integer({ min: 1, max: 60 }))
  .map(([start, pages]) => ({ start, end: start + pages }));

describe('the stretches between the bounds of ranges', () => {
  it('have the pages between two bounds beside each other, and no others', () => {
    fc.assert(
      fc.property(
        fc.array(range, { minLength: 1, maxLength: 50 }),
        fc.array(range, { minLength: 1, maxLength: 50 }),
        (ranges, asked) => {
          const stretches = new Stretches(ranges);
          const bounds = new Set(ranges.flatMap(({ start, end }) => [start, end]));
          for (const { start, end } of [...asked, ...ranges]) {
            const before = [...bounds].filter((bound) => bound <= start).length;
            const isWithin = ![...bounds].some((bound) => bound > start && bound < end);
            expect(stretches.find(start, end)).toBe(isWithin ? before : -1);
          }
        },
      ),
    );
  });
});
