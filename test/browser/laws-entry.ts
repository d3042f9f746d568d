import fc from 'fast-check';
import { program } from '../kit/world/program.js';
import {
  balanceFindings,
  clippingFindings,
  interleavingFindings,
  queueFindings,
  seen,
  snapshotFindings,
  tellingOrderFindings,
} from '../kit/world/oracles.js';
import { play } from '../kit/world/play.js';
import type { World } from '../kit/world/world.js';

/** Runs the laws' programs with no more than a browser has; answers what was broken, in JSON. */
export async function runLaws(seed: number, runs: number): Promise<string> {
  let programs = 0;
  const findings: string[] = [];
  for (const steps of fc.sample(program, { seed, numRuns: runs })) {
    const onQuiet = (world: World): void => void findings.push(...queueFindings(world));
    const world = await play(steps, { onQuiet });
    programs++;
    while (world.leases.length > 0) world.put(0);
    findings.push(
      ...interleavingFindings(world.memfile.journal.read(1)),
      ...tellingOrderFindings(world),
      ...balanceFindings(world),
      ...snapshotFindings(world),
      ...clippingFindings(world),
      ...[1, 3, 4, 5, 6, 7, 8, 9].flatMap((law) => seen(world, law)),
    );
    const live = JSON.stringify(world.memfile.state.toJSON());
    if (JSON.stringify(world.memfile.replay().toJSON()) !== live) findings.push('replay differs');
  }
  return JSON.stringify({ programs, findings });
}
