import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PageRange } from '../../core/index.js';
import { FramePool } from '../../plugins/shmem/frame-pool.js';

type Step =
  | { readonly type: 'take'; readonly count: number }
  | {
      readonly type: 'release';
      readonly which: number;
      readonly from: number;
      readonly to: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('take' as const), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    type: fc.constant('release' as const),
    which: fc.nat(),
    from: fc.nat(20),
    to: fc.nat(40),
  }),
);

describe('frames', () => {
  it('are given to one at a time, and all of them, whatever is taken and released', () => {
    const steps = fc.array(step, { maxLength: 120 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), steps, (limit, steps) => {
        const pool = new FramePool(limit);
        const used = new Set<number>();
        const taken: PageRange[] = [];
        for (const step of steps) {
          if (step.type === 'take' && pool.available > 0) {
            const run = pool.take(step.count);
            expect(run.end - run.start).toBeGreaterThan(0);
            expect(run.end - run.start).toBeLessThanOrEqual(step.count);
            for (let frame = run.start; frame < run.end; frame++) {
              expect(frame >= 1 && frame <= limit && !used.has(frame)).toBe(true);
              used.add(frame);
            }
            taken.push(run);
          } else if (step.type === 'release' && taken.length > 0) {
            const [{ start, end }] = taken.splice(step.which % taken.length, 1) as [PageRange];
            const from = Math.min(start + step.from, end - 1);
            const to = Math.min(Math.max(start + step.to, from + 1), end);
            if (start < from) taken.push({ start, end: from });
            if (to < end) taken.push({ start: to, end });
            pool.release(from, to);
            for (let frame = from; frame < to; frame++) used.delete(frame);
          }
          expect(pool.available).toBe(limit - used.size);
        }
        while (pool.available > 0) {
          const run = pool.take(7);
          for (let frame = run.start; frame < run.end; frame++) {
            expect(used.has(frame)).toBe(false);
            used.add(frame);
          }
        }
        expect(used.size).toBe(limit);
      }),
    );
  });

  it('that were freed just now are taken first', () => {
    const pool = new FramePool(10_000);
    const runs = [pool.take(100), pool.take(100), pool.take(100)] as const;
    pool.release(runs[2].start, runs[2].end);
    pool.release(runs[0].start, runs[0].end);
    expect(pool.take(60)).toEqual({ start: runs[0].start, end: runs[0].start + 60 });
    expect(pool.take(40)).toEqual({ start: runs[0].start + 60, end: runs[0].end });
    expect(pool.take(100)).toEqual(runs[2]);
  });

  it('that were freed one by one are a run again when one is wanted', () => {
    const pool = new FramePool(64);
    pool.take(64);
    for (let i = 0; i < 16; i++) pool.release(1 + ((i * 7) % 16), 2 + ((i * 7) % 16));
    expect(pool.take(16)).toEqual({ start: 1, end: 17 });
  });
});
