import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameSet } from './frame-set.js';

/** Around where words and blocks begin and end, and far away. */
const start = fc.oneof(fc.nat(70), fc.integer({ min: 16_340, max: 16_420 }), fc.constant(2 ** 45));
const range = fc
  .tuple(start, fc.oneof({ weight: 30, arbitrary: fc.nat(70) }, fc.nat(33_000)))
  .map(([start, frames]) => ({ start, end: start + 1 + frames }));
const step = fc.record({ add: fc.boolean(), range });

test('a frame set is the set of its frames (seed 1)', () => {
  const property = fc.property(fc.array(step, { maxLength: 12 }), range, (steps, asked) => {
    const set = new FrameSet();
    const frames = new Set<number>();
    for (const { add, range } of steps) {
      const there = framesOf(range).some((frame) => frames.has(frame));
      if (add) expect(set.add(range.start, range.end)).toBe(there);
      else set.remove(range.start, range.end);
      for (const frame of framesOf(range)) {
        if (add) frames.add(frame);
        else frames.delete(frame);
      }
    }
    expect(set.has(asked.start)).toBe(frames.has(asked.start));
    for (const { start, end } of [asked, { start: asked.start, end: asked.start + 1 }]) {
      const wanted = framesOf({ start, end });
      expect(set.touches(start, end)).toBe(wanted.some((frame) => frames.has(frame)));
      expect(set.covers(start, end)).toBe(wanted.every((frame) => frames.has(frame)));
    }
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
});

function framesOf({ start, end }: { readonly start: number; readonly end: number }): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
