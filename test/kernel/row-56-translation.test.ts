import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gfnRange } from '../../adapters/kvm/index.js';
import { v4, v6, v6Fix, type Slot, type Translation } from '../museum/translations.js';

/** Ours, in the words of the museum. */
const correct: Translation = (slot, start, end) => {
  const range = gfnRange(slot, start, end);
  return range === undefined ? 'none' : [range.start, range.end];
};

const SLOT: Slot = { gfn: 100, offset: 10, pages: 8 };

describe('row 56: an event on pages of the file, at a slot of gfn 100, offset 10, 8 pages', () => {
  it.each([
    // within the slot
    [12, 14, { correct: [102, 104], v4: 'none', v6: [102, 104], v6Fix: [102, 104] }],
    // below it
    [0, 5, { correct: 'none', v4: 'none', v6: [90, 108], v6Fix: 'none' }],
    // into its head
    [5, 12, { correct: [100, 102], v4: 'none', v6: [95, 102], v6Fix: 'none' }],
    // out of its tail
    [16, 30, { correct: [106, 108], v4: 'none', v6: [106, 108], v6Fix: [106, 108] }],
    // the whole file
    [0, Infinity, { correct: [100, 108], v4: 'none', v6: [90, 108], v6Fix: 'none' }],
    // above it
    [20, 30, { correct: 'none', v4: 'none', v6: 'WARN', v6Fix: 'WARN' }],
  ])('row 56: [%s, %s)', (start, end, expected) => {
    expect({
      correct: correct(SLOT, start, end),
      v4: v4(SLOT, start, end),
      v6: v6(SLOT, start, end),
      v6Fix: v6Fix(SLOT, start, end),
    }).toEqual(expected);
  });

  it('row 56: v4 is right where gfn and offset are both 0, and the whole file at offset 0', () => {
    expect(v4({ gfn: 0, offset: 0, pages: 8 }, 2, 4)).toEqual([2, 4]);
    expect(v4({ gfn: 100, offset: 0, pages: 8 }, 0, Infinity)).toEqual([100, 108]);
  });

  it('row 56: ours is the translation of every page on its own', () => {
    const slot = fc.record({
      gfn: fc.nat(50),
      offset: fc.nat(50),
      pages: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(slot, fc.nat(80), fc.integer({ min: 1, max: 40 }), (slot, start, length) => {
        const pages = Array.from({ length }, (_, i) => start + i);
        const gfns = pages
          .filter((page) => page >= slot.offset && page < slot.offset + slot.pages)
          .map((page) => slot.gfn + page - slot.offset);
        const range = gfnRange(slot, start, start + length);
        const translated =
          range === undefined
            ? []
            : Array.from({ length: range.end - range.start }, (_, i) => range.start + i);
        expect(translated).toEqual(gfns);
      }),
    );
  });
});
