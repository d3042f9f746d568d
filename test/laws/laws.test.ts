import { describe, expect, it } from 'vitest';
import { MemfileError } from '../../core/index.js';
import { checkLaw, named } from './check-law.js';
import {
  balanceFindings,
  clippingFindings,
  conversionFindings,
  interleavingFindings,
  queueFindings,
  registrationFindings,
  seen,
  snapshotFindings,
  storeKept,
  tellingOrderFindings,
  undoFindings,
  usableFindings,
} from './oracles.js';
import { play, type World } from './world.js';

const told = (world: World): string[] =>
  world.deliveries.map(
    ({ consumer, type, start, end }) => `${consumer.name} ${type} ${start} ${end}`,
  );

describe('the laws, by random programs', { timeout: 60_000 }, () => {
  it(named('law 1: order'), () =>
    checkLaw(async (program) => {
      const findings: string[] = [];
      const onQuiet = (world: World): void => void findings.push(...queueFindings(world));
      const world = await play(program, { onQuiet });
      const stuck = world.pending().map(({ kind }) => `${kind} never ended`);
      const journal = interleavingFindings(world.memfile.journal.read(1));
      const order = tellingOrderFindings(world);
      return [...findings, ...stuck, ...journal, ...order, ...seen(world, 1)];
    }),
  );

  it(named('law 2: isolation: who fails changes nothing of what anybody is told'), () =>
    checkLaw(async (program) => {
      // A refusal does change what others are told: that is law 8.
      const steps = program.steps
        .filter((step) => step.do !== 'convert')
        .map((step) =>
          step.do === 'register' ? { ...step, votes: false, replay: false, budget: 0 } : step,
        );
      const hostile = await play({ steps });
      const harmless = await play({ steps }, { harmless: true });
      const [a, b] = [told(hostile), told(harmless)];
      const differs = a.findIndex((line, i) => line !== b[i]);
      if (differs >= 0) return [`${a[differs]} where without failures it is ${b[differs]}`];
      return a.length === b.length ? [] : ['deliveries are missing'];
    }),
  );

  it(named('law 2: isolation: a failure is in the journal and in the error of its operation'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      const failed = new Set<number>();
      let failures = 0;
      for (const event of world.memfile.journal.read(1)) {
        if (event.type !== 'failure') continue;
        failures++;
        if (event.callback !== 'prepare') failed.add(event.operation);
      }
      const thrown = world.consumers.reduce((sum, consumer) => sum + consumer.failures, 0);
      const errors = world.operations.filter(
        ({ outcome }) =>
          outcome instanceof MemfileError &&
          (outcome.code === 'EIO' ||
            outcome.effect === 'partial' ||
            outcome.message.includes('" failed in ')),
      );
      const findings = [];
      if (failures < thrown) findings.push(`${thrown} callbacks threw, ${failures} are recorded`);
      if (errors.length < failed.size) {
        findings.push(`${failed.size} operations failed, ${errors.length} say so`);
      }
      return findings;
    }),
  );

  it(named('law 3: balance'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      return [...balanceFindings(world), ...seen(world, 3)];
    }),
  );

  it(named('law 4: gone means gone'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      return [...world.ledger.broken, ...seen(world, 4)];
    }),
  );

  it(named('law 5: snapshot and subscribe are one step'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      return [...snapshotFindings(world), ...seen(world, 5)];
    }),
  );

  it(named('law 6: grace'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      const waiting = world.consumers
        .filter(({ left, gone, evicted, registration, working }) => {
          const awaited = registration !== undefined && left && !evicted && working === 0;
          return awaited && !gone && registration.sections > 0;
        })
        .map(({ name }) => `${name} is at rest and its grace period does not end`);
      return [...waiting, ...seen(world, 6)];
    }),
  );

  it(named('law 7: ranges'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      return [...clippingFindings(world), ...seen(world, 7)];
    }),
  );

  it(named('law 8: undo'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      const findings = world.operations.flatMap(({ outcome }) => {
        if (!(outcome instanceof MemfileError) || outcome.code !== 'EBUSY') return [];
        const named = outcome.effect === 'none' && /"consumer \d+" refused/.test(outcome.message);
        return named ? [] : [`${outcome.effect}: ${outcome.message}`];
      });
      for (const file of storeKept(world) ? [] : world.files) {
        const there = file.populated().reduce((sum, { start, end }) => sum + end - start, 0);
        const pages = world.ledger.pagesOf(file.id);
        if (!file.closed && pages !== there)
          findings.push(`the store has ${pages} pages, not ${there}`);
      }
      const undone = undoFindings(world.memfile.journal.read(1));
      return [...findings, ...undone, ...conversionFindings(world), ...seen(world, 8)];
    }),
  );

  it(named('laws 5 and 8: told usable exactly when all sources agree'), () =>
    checkLaw(async (program) => {
      const findings: string[] = [];
      const onQuiet = (world: World): void => void findings.push(...usableFindings(world));
      const world = await play(program, { onQuiet });
      return [...findings, ...usableFindings(world)];
    }),
  );

  it(named('law 9: pins balance'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      while (world.leases.length > 0) world.put(0);
      const pinned = world.memfile.state.quarantined.reduce((n, run) => n + run.end - run.start, 0);
      const leaked = [...world.ledger.references.values()].reduce((sum, count) => sum + count, 0);
      const findings = leaked === pinned ? [] : [`${leaked} references, ${pinned} in quarantine`];
      if (world.memfile.state.toJSON().leases.length > 0) findings.push('leases are still counted');
      return [...findings, ...seen(world, 9)];
    }),
  );

  it(named('law 10: the journal is the truth: replay equals the state after every step'), () =>
    checkLaw(async (program) => {
      const world = await play(program);
      const findings: string[] = [];
      for (const [position, state] of world.states) {
        const replayed = JSON.stringify(world.memfile.replay({ to: position }).toJSON());
        if (replayed !== JSON.stringify(state)) findings.push(`at ${position}: ${replayed}`);
      }
      expect(world.states.size).toBeGreaterThan(0);
      return [...findings, ...registrationFindings(world)];
    }, 300),
  );
});
