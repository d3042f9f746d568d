import fc from 'fast-check';
import { expect, it } from 'vitest';
import { program } from './program.js';
import { play } from './world.js';

it('runs', async () => {
  await fc.assert(
    fc.asyncProperty(program, async (p) => {
      const world = await play(p);
      expect(world.broken).toEqual([]);
      expect(world.ledger.broken).toEqual([]);
      expect(world.pending()).toEqual([]);
      expect(world.model.violations).toEqual([]);
      expect(world.memfile.replay().toJSON()).toEqual(world.memfile.state.toJSON());
    }),
    { numRuns: Number(process.env.RUNS ?? 2000) },
  );
}, 60000);
