import { MemfileError, type StallReport } from '../../../core/index.js';
import {
  balanceFindings,
  clippingFindings,
  endFindings,
  interleavingFindings,
  queueFindings,
  registrationFindings,
  seen,
  snapshotFindings,
  sorted,
  tellingOrderFindings,
  untoldFindings,
} from './oracles.js';
import {
  conversionFindings,
  storeKept,
  unaskedFindings,
  undoFindings,
  usableFindings,
} from './side-oracles.js';
import { lookAround, play, recycle, tearDown, type PlayOptions } from './play.js';
import { PAGES, program, scaled, shorterPrograms, type Program } from './program.js';
import { showProgram } from './show-program.js';
import type { Check } from '../suite.js';
import type { World } from './world.js';
import type { Call } from './world-consumer.js';
import { SECOND } from './world-options.js';

/** Plays a program, and answers what it broke of one law. */
type Judge = (program: Program, options: PlayOptions) => Promise<readonly string[]>;

/** Every law by random programs over two files, with consumers and a store that fail. */
export function lawChecks(options: PlayOptions): Check<Program>[] {
  const unit = (options.pages ?? PAGES) / PAGES;
  const check = (law: number, judge: Judge, what?: string, end?: string): Check<Program> => ({
    law,
    what,
    programs: program,
    show: (program) => [...showProgram(scaled(program, unit)), ...(end === undefined ? [] : [end])],
    shorter: shorterPrograms,
    broken: (program) => judge(program, options),
  });
  const again =
    'all pages of both files are punched and allocated again, once more when everybody has left';
  return [
    check(1, order),
    check(2, isolation, 'who fails changes nothing of what anybody is told'),
    check(2, reported, 'a failure is in the journal and in the error of its operation'),
    check(3, judged(3, balanceFindings)),
    check(4, gone, undefined, again),
    check(5, judged(5, snapshotFindings)),
    check(6, judged(6, graceFindings)),
    check(6, stalls, 'who holds an operation up is named after its time, once'),
    check(7, ranges, undefined, `${again}, and looked up`),
    check(8, judged(8, undone)),
    check(8, usable, 'told usable exactly when all sources agree'),
    check(9, pins, undefined, again),
    check(10, judged(10, replayFindings), 'replay equals the state after every step'),
    check(11, judged(11, nothing), 'only errors of the framework'),
    check(12, teardown, undefined, 'the memfile is taken down'),
  ];
}

/** By what the whole run shows, and by the books that were kept of it. */
function judged(law: number, find: (world: World) => readonly string[]): Judge {
  return async (program, options) => {
    const world = await play(program, options);
    return [...find(world), ...seen(world, law)];
  };
}

const nothing = (): readonly string[] => [];

const order: Judge = async (program, options) => {
  const findings: string[] = [];
  const onQuiet = (world: World): void => void findings.push(...queueFindings(world));
  const world = await play(program, { ...options, onQuiet });
  const stuck = world.pending().map(({ kind }) => `${kind} never ended`);
  const journal = interleavingFindings(world.memfile.journal.read(1));
  return [...findings, ...stuck, ...journal, ...tellingOrderFindings(world), ...seen(world, 1)];
};

const isolation: Judge = async (program, options) => {
  // A refusal does change what others are told: that is law 8.
  const steps = program.steps
    .filter((step) => step.do !== 'convert')
    .map((step) =>
      step.do === 'register' ? { ...step, votes: false, replay: false, budget: 0 } : step,
    );
  const told = ({ deliveries }: World): string[] =>
    deliveries.map(
      ({ consumer, type, start, end }) => `${consumer.name} ${type} [${start}, ${end})`,
    );
  const failing = await play({ steps }, options);
  if (lacksWhatLeaked(failing)) return [];
  const harmlessly = await play({ steps }, { ...options, harmless: true });
  const [hostile, harmless] = [told(failing), told(harmlessly)];
  const differs = hostile.findIndex((line, i) => line !== harmless[i]);
  if (differs >= 0)
    return [`${hostile[differs]}, where without failures it is ${harmless[differs]}`];
  return hostile.length === harmless.length ? [] : ['deliveries are missing'];
};

/** Who fails to let go costs the store frames, and pages may be missing for want of them. */
function lacksWhatLeaked({ memfile, store }: World): boolean {
  return memfile.state.quarantined.length > 0 && store.fellShort;
}

const reported: Judge = async (program, options) => {
  const world = await play(program, options);
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
  const findings = [...seen(world, 2)];
  if (failures < thrown) findings.push(`${thrown} callbacks threw, ${failures} are recorded`);
  if (errors.length < failed.size) {
    findings.push(`${failed.size} operations failed, ${errors.length} say so`);
  }
  return findings;
};

/** Work is named when it has lasted for so many steps. */
const STEPS_TO_STALL = 4;

const stalls: Judge = async (program, options) => {
  const found: string[] = [];
  const known = new Set<Call>();
  const recent: (readonly Call[])[] = [];
  let named: string[] = [];
  const onQuiet = ({ work, clock, step }: World): void => {
    const fresh = [...work.calls].filter((call) => !known.has(call));
    for (const call of fresh) known.add(call);
    recent.push(fresh);
    const due = recent.length === STEPS_TO_STALL ? recent.shift()! : [];
    const late = due.filter(({ working, consumer }) => working > 0 && !consumer.evicted);
    named = [];
    clock.advance(SECOND / STEPS_TO_STALL);
    const [is, should] = [sorted(named), sorted(late.map(({ name }) => name))];
    if (is !== should) found.push(`after step ${step} named: ${is}; at work for long: ${should}`);
  };
  const onStall = ({ consumer }: StallReport): void => void named.push(consumer);
  const world = await play(program, { ...options, onStall, onQuiet });
  return [...found, ...seen(world, 6)];
};

function graceFindings(world: World): string[] {
  return world.consumers
    .filter(({ left, gone, evicted, registration, working }) => {
      const awaited = registration !== undefined && left && !evicted && working === 0;
      return awaited && !gone && registration.sections > 0;
    })
    .map(({ name }) => `${name} is at rest and its grace period does not end`);
}

function undone(world: World): string[] {
  const errors = world.operations.flatMap(({ outcome }) =>
    outcome instanceof MemfileError ? [outcome] : [],
  );
  const findings = [
    ...undoFindings(world.memfile.journal.read(1)),
    ...conversionFindings(world),
    ...unaskedFindings(world),
  ];
  const unnamed = errors
    .filter(({ code }) => code === 'EBUSY')
    .filter(
      ({ effect, message }) =>
        effect !== 'none' || !/"consumer \d+" (refused|failed to let go)/.test(message),
    )
    .map(({ effect, message }) => `${effect}: ${message}`);
  findings.push(...unnamed);
  if (storeKept(world)) return findings;
  for (const file of world.files) {
    const there = file.populated().reduce((sum, { start, end }) => sum + end - start, 0);
    const pages = world.ledger.pagesOf(file.id);
    if (!file.closed && pages !== there) {
      findings.push(`the store has ${pages} pages of ${file.name}, not ${there}`);
    }
  }
  return findings;
}

const usable: Judge = async (program, options) => {
  const findings: string[] = [];
  const onQuiet = (world: World): void => void findings.push(...usableFindings(world));
  const world = await play(program, { ...options, onQuiet });
  return [...findings, ...usableFindings(world)];
};

const ranges: Judge = async (program, options) => {
  const world = await play(program, options);
  const told = [...clippingFindings(world), ...untoldFindings(world)];
  await recycle(world);
  lookAround(world);
  return [...told, ...seen(world, 7)];
};

const gone: Judge = async (program, options) => {
  const world = await play(program, { ...options, contents: true });
  await recycle(world);
  return [...endFindings(world), ...seen(world, 4)];
};

const pins: Judge = async (program, options) => {
  const world = await play(program, options);
  await recycle(world);
  return [...pinFindings(world), ...seen(world, 9)];
};

function pinFindings(world: World): string[] {
  while (world.leases.length > 0) world.put(0);
  // One reference pins a whole block, of which only the pages that were told are in quarantine.
  const { quarantined } = world.memfile.state;
  const pins = quarantined.map(() => 0);
  const findings: string[] = [];
  for (const [frame, count] of world.ledger.references) {
    const at = quarantined.findIndex(
      ({ pfn, start, end }) => frame >= pfn && frame < pfn + (end - start),
    );
    if (at < 0) findings.push(`${count} references to frame ${frame} are out, and nobody has it`);
    else pins[at]! += count;
  }
  for (const [i, { pfn, start, end }] of quarantined.entries()) {
    const pages = end - start;
    if (pins[i]! >= 1 && pins[i]! <= pages) continue;
    findings.push(`${pins[i]} references to ${pages} frames in quarantine, from ${pfn}`);
  }
  if (world.memfile.state.toJSON().leases.length > 0) findings.push('leases are still counted');
  for (const { name, left, leases } of world.memfile.state.registrations.values()) {
    if (left && leases.size === 0) findings.push(`"${name}" has left and is not forgotten`);
  }
  return findings;
}

export function replayFindings(world: World): string[] {
  const findings = registrationFindings(world);
  for (const [position, state] of world.states) {
    const replayed = JSON.stringify(world.memfile.replay({ to: position }).toJSON());
    if (replayed !== JSON.stringify(state)) findings.push(`at ${position}: ${replayed}`);
  }
  if (world.states.size === 0) findings.push('no state was ever seen');
  return findings;
}

const teardown: Judge = async ({ steps }, options) => {
  // A store that is made to keep pages has them in the end.
  const kind = steps.filter((step) => step.do !== 'fault' || !step.fault.startsWith('free'));
  const world = await play({ steps: kind }, options);
  const failures = await tearDown(world);
  const findings = failures
    .filter((failure) => !(failure instanceof MemfileError))
    .map((failure) => `teardown fails with ${String(failure)}`);
  if (world.store.closed !== 1) findings.push(`the store was closed ${world.store.closed} times`);
  for (const { id, name, closed } of world.files) {
    if (!closed) findings.push(`${name} is still open`);
    const pages = world.ledger.pagesOf(id);
    if (pages > 0) findings.push(`the store still has ${pages} pages of ${name}`);
  }
  return [...findings, ...seen(world, 12)];
};
