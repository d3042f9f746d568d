import fc from 'fast-check';
import { expect, it } from 'vitest';
import { interleaving, type Interleaving } from './interleaving.js';
import { Torture } from './torture.js';

/** Set MEMFILE_SEED and MEMFILE_RUNS to look further, or to repeat what a failure printed. */
const SEED = Number(process.env['MEMFILE_SEED'] ?? 20220118);
const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 2500);

/** What every run of some length comes to. */
const REACHED = [
  'mapped 1',
  'mapped 2',
  'mmio',
  'memory-fault',
  'slot in the way after slot',
  'invalidation in the way after check',
  'invalidation in the way after release',
  ...['done', 'EAGAIN', 'EBUSY', 'ENOMEM', 'EIO'].map((how) => `convert: ${how}`),
  'poison: done',
];

const MINUTES = 60_000;

it(
  `I1 to I12 and the laws hold while faults stop between any two steps (${RUNS} interleavings, seed ${SEED})`,
  async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(interleaving, async (program: Interleaving) => {
        const found = await Torture.run(program, seen);
        if (found.length > 0) throw new Error(found.join('\n'));
      }),
      { seed: SEED, numRuns: RUNS },
    );
    // A torture that reaches nothing proves nothing.
    if (RUNS >= 1000) expect(REACHED.filter((what) => !seen.has(what))).toEqual([]);
  },
  Math.max(1, RUNS / 1000) * MINUTES,
);
