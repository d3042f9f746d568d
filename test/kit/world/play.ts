import type { BackingStore, Journal } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { convert, fallocate, lookUp, poison } from './deeds.js';
import { FILES, PAGES, scaled, type Program, type Step } from './program.js';
import { overlap, pick, settle, take } from '../small.js';
import { World } from './world.js';
import type { WorldOptions } from './world-options.js';

export interface PlayOptions extends Omit<WorldOptions, 'journal'> {
  /** Where events are recorded; a journal in memory by default. */
  readonly journal?: (() => Journal | Promise<Journal>) | undefined;
  /** The store under the files; shmem by default. */
  readonly store?: (() => BackingStore | Promise<BackingStore>) | undefined;
  /** Called after every step, when nothing moves by itself any more. */
  readonly onQuiet?: ((world: World) => void) | undefined;
}

/** Runs a program in a world of its own, until nothing is left to do. */
export async function play(program: Program, options: PlayOptions = {}): Promise<World> {
  const { store = shmem, onQuiet } = options;
  const world = new World(await store(), { ...options, journal: await options.journal?.() });
  await world.start();
  for (const step of scaled(program, world.pages / PAGES).steps) {
    world.step++;
    const alone = step.do === 'punch' && nothingPrecedes(world, step.file, step);
    takeStep(world, step);
    if (alone && !toldAtOnce(world, step.file, step)) {
      const detail = 'an operation that nothing precedes was not told at once';
      world.broken.push({ law: 1, detail });
    }
    await settle();
    onQuiet?.(world);
    world.states.set(world.memfile.state.position, world.memfile.state.toJSON());
  }
  world.step++;
  await drain(world);
  return world;
}

/**
 * Every page leaves and comes again, whatever leases are out: where frames are used anew. Then
 * everybody leaves, and what somebody refused comes all the same.
 */
export async function recycle(world: World): Promise<void> {
  world.nextFault.fault = undefined;
  const all = { start: 0, end: world.pages };
  for (const file of world.files.keys()) world.punch(file, all);
  await drain(world);
  for (const file of world.files.keys()) fallocate(world, file, all);
  await drain(world);
  for (const consumer of world.strangers()) world.dismiss('unsubscribe', consumer);
  for (const file of world.files.keys()) fallocate(world, file, all);
  await drain(world);
}

/** The first consumer of each file looks the pages up at both ends of every unit of a program. */
export function lookAround(world: World): void {
  const unit = world.pages / PAGES;
  for (const probe of world.probes) {
    for (let page = 0; page < world.pages; page += unit) {
      for (const one of new Set([page, page + unit - 1])) {
        const before = world.leases.length;
        lookUp(world, probe, one);
        if (world.leases.length > before) world.put(before);
      }
    }
  }
}

/** Whether an operation on this range would start at once. */
function nothingPrecedes(
  world: World,
  file: number,
  { start, pages }: { readonly start: number; readonly pages: number },
): boolean {
  const range = world.widest(file, { start, end: start + pages });
  return world.operations.every(
    (earlier) =>
      earlier.file !== file || earlier.outcome !== 'pending' || !overlap(earlier.widest, range),
  );
}

/** Whether the first consumer of the file was told in this very step. */
function toldAtOnce(world: World, file: number, { start }: { readonly start: number }): boolean {
  if (world.files[file]!.closed) return true;
  return world.deliveries.some(
    (delivery) =>
      delivery.consumer === world.probes[file] &&
      delivery.step === world.step &&
      delivery.start === start,
  );
}

/** Lets everything come to its end: work settles, and who never would is evicted. */
export async function drain(world: World): Promise<void> {
  for (let round = 0; round < 200; round++) {
    await settle();
    const suspended = world.scheduler.suspended.shift();
    if (suspended !== undefined) suspended();
    else if (world.work.size > 0) world.work.end(0)!.resolve();
    else {
      const stuck = world.consumers.find(
        ({ registration, evicted }) => (registration?.sections ?? 0) > 0 && !evicted,
      );
      if (stuck === undefined || world.pending().length === 0) break;
      world.dismiss('evict', stuck);
    }
  }
  await settle();
  world.states.set(world.memfile.state.position, world.memfile.state.toJSON());
}

/** Takes the memfile of a world down; answers what failed. */
export async function tearDown(world: World): Promise<readonly unknown[]> {
  world.nextFault.fault = undefined;
  const over: { failures?: readonly unknown[] } = {};
  world.memfile[Symbol.asyncDispose]().then(
    () => (over.failures = []),
    (error: unknown) => (over.failures = error instanceof AggregateError ? error.errors : [error]),
  );
  for (let round = 0; round < 400 && over.failures === undefined; round++) {
    await settle();
    const suspended = world.scheduler.suspended.shift();
    if (suspended !== undefined) suspended();
    else if (world.work.size > 0) world.work.end(0)!.resolve();
    else world.clock.advance(5000);
  }
  return over.failures ?? ['teardown never ended'];
}

function takeStep(world: World, step: Step): void {
  switch (step.do) {
    case 'fallocate':
      fallocate(
        world,
        step.file,
        { start: step.start, end: step.start + step.pages },
        step.keepSize,
      );
      break;
    case 'punch':
      world.punch(step.file, { start: step.start, end: step.start + step.pages });
      break;
    case 'convert': {
      const { file, start, pages, to, content } = step;
      convert(world, file, { start, end: start + pages }, { to, content });
      break;
    }
    case 'poison':
      poison(world, step.file, step.page);
      break;
    case 'truncate':
      world.submit('truncate', step.file, { start: step.pages, end: Infinity }, (signal) =>
        world.files[step.file]!.truncate(step.pages, { signal }),
      );
      break;
    case 'register':
      world.register(step);
      break;
    case 'unsubscribe':
    case 'unregister':
    case 'evict':
      world.dismiss(step.do, pick(world.strangers(), step.who));
      break;
    case 'lookup':
      lookUp(world, pick(world.consumers, step.who), step.page);
      break;
    case 'put':
      world.put(step.which);
      break;
    case 'settle':
      world.work.end(step.which)?.resolve();
      break;
    case 'reject':
      world.rejectWork(step.which);
      break;
    case 'resume':
      take(world.scheduler.suspended, step.which)?.();
      break;
    case 'abort':
      world.abort(pick(world.operations.slice(FILES), step.which));
      break;
    case 'fault':
      world.nextFault.fault = step.fault;
      break;
    case 'close':
      world.submit('close', step.file, { start: 0, end: Infinity }, () =>
        world.files[step.file]!.close(),
      );
      break;
  }
}
