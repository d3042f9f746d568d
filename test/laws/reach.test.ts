import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { play } from '../kit/world/play.js';
import { program } from '../kit/world/program.js';
import { SEED } from '../kit/seed.js';
import type { World } from '../kit/world/world.js';

const RUNS = 300;

/** What random programs have to come by now and then, or what follows from it is never tried. */
const PLACES: Readonly<Record<string, (world: World) => boolean>> = {
  'frames in quarantine': ({ memfile }) => memfile.state.quarantined.length > 0,
  'pages that somebody failed to let go of': ({ memfile }) =>
    [...memfile.state.files.values()].some(({ untrusted }) => untrusted.length > 0),
  'poisoned pages': ({ memfile }) =>
    [...memfile.state.files.values()].some(({ poisoned }) => poisoned.pages > 0),
  'private pages': ({ memfile }) =>
    [...memfile.state.files.values()].some((file) => file.private.pages > 0),
  'a lease without its page': ({ leases, ledger }) =>
    leases.some(
      ({ consumer, lease }) => ledger.frameOf(consumer.file.id, lease.offset) !== lease.pfn,
    ),
  'a conversion that did not take place after all': ({ conversions }) =>
    conversions.refused.length > 0,
  'pages that stayed': ({ deliveries }) => deliveries.some(({ kept }) => kept.length > 0),
  'an evicted consumer': ({ consumers }) => consumers.some(({ evicted }) => evicted),
};

describe('random programs', () => {
  it(`come by what they are to try (${RUNS} programs, seed ${SEED})`, async () => {
    const reached = new Map<string, number>();
    for (const steps of fc.sample(program, { seed: SEED, numRuns: RUNS })) {
      const there = new Set<string>();
      const onQuiet = (world: World): void => {
        for (const [place, isThere] of Object.entries(PLACES)) if (isThere(world)) there.add(place);
      };
      onQuiet(await play(steps, { onQuiet }));
      for (const place of there) reached.set(place, (reached.get(place) ?? 0) + 1);
    }
    const rarely = Object.keys(PLACES).filter((place) => (reached.get(place) ?? 0) < RUNS / 50);
    expect(rarely).toEqual([]);
  });
});
