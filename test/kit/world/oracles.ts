import type { PageRange, Recorded } from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';
import { overlap } from '../small.js';
import type { World } from './world.js';
import type { Consumer, Delivery } from './world-consumer.js';

/** What the world itself and the independent model saw broken of one law. */
export function seen(world: World, law: number): string[] {
  const model = world.model.finish().filter((violation) => violation.law === law);
  const { ledger, contents } = world.store;
  const own = [...world.broken, ...ledger.broken, ...(contents?.broken ?? [])];
  return [...model, ...own.filter((finding) => finding.law === law)].map(({ detail }) => detail);
}

/**
 * Law 1, by a queue of its own: an operation runs when, and only when, every earlier overlapping
 * one of its file is over. What runs is known from what the first consumer of the file was told.
 */
export function queueFindings(world: World): string[] {
  const found: string[] = [];
  for (const [file, probe] of world.probes.entries()) {
    const mine = world.operations.filter((operation) => operation.file === file);
    const expected = new Map<string, number>();
    for (const [i, operation] of mine.entries()) {
      if (operation.kind !== 'punch') continue;
      const { outcome, range } = operation;
      const refused = typeof outcome === 'object' && outcome.code !== 'EIO';
      const blocked = mine
        .slice(0, i)
        .some(
          (earlier) => earlier.outcome === 'pending' && overlap(earlier.widest, operation.widest),
        );
      if (refused || blocked) continue;
      const key = `[${range.start}, ${range.end})`;
      expected.set(key, (expected.get(key) ?? 0) + 1);
    }
    const told = new Map<string, number>();
    for (const { consumer, type, reason, start, end } of world.deliveries) {
      if (consumer !== probe || type !== 'invalidate' || reason !== 'punch') continue;
      told.set(`[${start}, ${end})`, (told.get(`[${start}, ${end})`) ?? 0) + 1);
    }
    for (const key of new Set([...expected.keys(), ...told.keys()])) {
      const [runs, should] = [told.get(key) ?? 0, expected.get(key) ?? 0];
      if (runs !== should) {
        found.push(`step ${world.step}: ${runs} punches of ${key} have begun, not ${should}`);
      }
    }
  }
  return found;
}

/** Law 1: between the begin and the end of an invalidation, nobody else touches its range. */
export function interleavingFindings(journal: Iterable<Recorded>): string[] {
  const found: string[] = [];
  const open = new Map<number, PageRange & { readonly file: number }>();
  for (const event of journal) {
    if (
      event.type !== 'invalidate' &&
      event.type !== 'invalidateEnd' &&
      event.type !== 'fallocate' &&
      event.type !== 'convert' &&
      event.type !== 'poison' &&
      event.type !== 'usable'
    ) {
      continue;
    }
    const { file, operation, start, end } = event;
    for (const [other, range] of open) {
      if (other === operation || range.file !== file || !overlap(range, event)) continue;
      found.push(`${event.type} at ${event.position} amid the invalidation of operation ${other}`);
    }
    if (event.type === 'invalidate') open.set(operation, { file, start, end });
    if (event.type === 'invalidateEnd') open.delete(operation);
  }
  return found;
}

/** Law 1: arrival in the order of registration, departure newest first, ends as arrival. */
export function tellingOrderFindings(world: World): string[] {
  const found: string[] = [];
  let before: Delivery | undefined;
  for (const delivery of world.deliveries) {
    const [a, b] = [before?.consumer.place?.position, delivery.consumer.place?.position];
    if (before?.position === delivery.position && a !== undefined && b !== undefined) {
      const newestFirst = delivery.type === 'invalidate' || delivery.type === 'rollback';
      if (newestFirst ? a <= b : a >= b) {
        found.push(
          `${before.consumer.name} before ${delivery.consumer.name} at ${delivery.position}`,
        );
      }
    }
    before = delivery;
  }
  return found;
}

/** Law 10: the state has the registrations that consumers know of, and no other. */
export function registrationFindings(world: World): string[] {
  const known = world.consumers
    .filter(({ place, left, file }) => place !== undefined && !left && !file.closed)
    .map(({ name }) => name);
  const recorded = world.memfile.state.toJSON().registrations.map(({ name }) => name);
  const difference = `${sorted(recorded)} and not ${sorted(known)}`;
  return sorted(recorded) === sorted(known) ? [] : [difference];
}

/** Law 3: every begin that a consumer was told has exactly one end or one `left` row. */
export function balanceFindings(world: World): string[] {
  const events = [...world.memfile.journal.read(1)];
  const names = new Map<number, string>();
  const ended = new Map<number, number>();
  const left = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'register') names.set(event.registration, event.name);
    if (event.type === 'invalidateEnd') ended.set(event.operation, event.position);
    if (event.type !== 'left') continue;
    const key = `${names.get(event.registration)} ${event.operation}`;
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  const found: string[] = [];
  for (const delivery of world.deliveries) {
    if (delivery.type !== 'invalidate') continue;
    const event = events[delivery.position - 1]!;
    if (event.type !== 'invalidate') {
      found.push(`position ${delivery.position} is told as invalidate and is ${event.type}`);
      continue;
    }
    const ends = world.deliveries.filter(
      ({ consumer, type, position, start, end }) =>
        consumer === delivery.consumer &&
        type === 'invalidateEnd' &&
        position === ended.get(event.operation) &&
        start === delivery.start &&
        end === delivery.end,
    ).length;
    const leaves = left.get(`${delivery.consumer.name} ${event.operation}`) ?? 0;
    if (ends + leaves !== 1) {
      const what = `${ends} ends and ${leaves} left rows`;
      found.push(`${delivery.consumer.name}, invalidate at ${delivery.position}: ${what}`);
    }
  }
  return found;
}

/** Law 4: whatever lies past the new end of a file leaves with what lies before it. */
export function endFindings(world: World): string[] {
  const found: string[] = [];
  const files = world.files.map(({ id }) => [id, new PageSet()] as const);
  const there = new Map(files);
  const kept = new Map<number, PageRange[]>();
  for (const event of world.memfile.journal.read(1)) {
    if (event.type === 'fallocate') there.get(event.file)!.add(event.start, event.end);
    if (event.type === 'kept') {
      kept.set(event.operation, [...(kept.get(event.operation) ?? []), event]);
    }
    if (event.type !== 'invalidate' && event.type !== 'invalidateEnd') continue;
    const { type, file, operation, position, start, end, reason } = event;
    const pages = there.get(file)!;
    if (type === 'invalidateEnd' && reason !== 'convert' && reason !== 'poison') {
      const stayed = (kept.get(operation) ?? []).flatMap((one) => pages.within(one.start, one.end));
      pages.remove(start, end);
      for (const range of stayed) pages.add(range.start, range.end);
    }
    const [past] = reason === 'truncate' || reason === 'close' ? pages.within(end, Infinity) : [];
    if (past !== undefined) found.push(`page ${past.start} outlives the ${reason} at ${position}`);
  }
  return found;
}

/** Law 5: a snapshot is what the first consumer of the file knew at that position. */
export function snapshotFindings(world: World): string[] {
  const found: string[] = [];
  for (const { name, file, range, place, access } of world.consumers) {
    const probe = world.probes[world.files.indexOf(file)]!;
    if (place === undefined || name === probe.name) continue;
    const there = new PageSet();
    for (const { start, end } of probe.place!.snapshot) there.add(start, end);
    for (const delivery of world.deliveries) {
      if (delivery.consumer === probe && delivery.position <= place.position) fold(there, delivery);
    }
    const { sides } = world.conversions;
    const business = sides.within(file.id, range, access, place.position);
    const known = JSON.stringify(business.flatMap(({ start, end }) => there.within(start, end)));
    const snapshot = JSON.stringify(place.snapshot.map(({ start, end }) => ({ start, end })));
    if (known !== snapshot) found.push(`${name} at ${place.position}: ${snapshot}, not ${known}`);
  }
  return found;
}

function fold(there: PageSet, { type, start, end, kept }: Delivery): void {
  if (type === 'fallocate') there.add(start, end);
  if (type !== 'invalidateEnd') return;
  const stayed = kept.flatMap((range) => there.within(range.start, range.end));
  there.remove(start, end);
  for (const range of stayed) there.add(range.start, range.end);
}

/** Law 7: the first consumer of a file is told whatever happens to its pages. */
export function untoldFindings(world: World): string[] {
  const told = new Set(
    world.deliveries
      .filter(({ consumer }) => world.probes.includes(consumer))
      .map(({ position, type }) => `${type} at ${position}`),
  );
  return [...world.memfile.journal.read(1)]
    .filter(({ type }) => type === 'invalidate' || type === 'invalidateEnd' || type === 'error')
    .map(({ position, type }) => `${type} at ${position}`)
    .filter((event) => !told.has(event))
    .map((event) => `nobody was told of ${event}`);
}

/** Law 7: of every event that the first consumer was told, each other one was told its part. */
export function clippingFindings(world: World): string[] {
  const found: string[] = [];
  const last = new Map<number, number>();
  for (const [i, { position }] of world.deliveries.entries()) last.set(position, i);
  for (const event of world.deliveries) {
    if (!world.probes.includes(event.consumer)) continue;
    for (const consumer of world.consumers) {
      if (consumer === event.consumer || consumer.file !== event.consumer.file) continue;
      if (consumer.place === undefined || consumer.place.position >= event.position) continue;
      if (consumer.leftAt <= last.get(event.position)!) continue;
      const told = toldOf(world, consumer, event.position);
      const expected =
        overlap(event, consumer.range) && isBusinessOf(world, consumer, event)
          ? [
              `${event.type} ${Math.max(event.start, consumer.range.start)} ` +
                `${Math.min(event.end, consumer.range.end)}`,
            ]
          : [];
      if (told.join() !== expected.join()) {
        found.push(
          `${consumer.name} at ${event.position}: told ${told.join()}, not ${expected.join()}`,
        );
      }
    }
  }
  return found;
}

/** Pages come and change as pages of one side, and who has access to the other is not told. */
function isBusinessOf(world: World, { access, file }: Consumer, event: Delivery): boolean {
  if (access === 'both') return true;
  if (event.conversion !== undefined) return event.conversion.to !== access;
  if (event.type !== 'fallocate') return true;
  return world.conversions.sides.sideOf(file.id, event.start, event.position) === access;
}

function toldOf(world: World, consumer: Consumer, at: number): string[] {
  return world.deliveries
    .filter((delivery) => delivery.consumer === consumer && delivery.position === at)
    .map(({ type, start, end }) => `${type} ${start} ${end}`);
}

export function sorted(names: readonly string[]): string {
  return [...names].sort().join();
}
