import type { PageRange, Recorded } from '../../core/index.js';
import { PageSet } from '../model/page-set.js';
import type { Consumer, Delivery } from './consumer.js';
import { overlap, type World } from './world.js';

type Finding = string;

/** No page of a program lies past it. */
const LAST = 24;

/** What the world itself and the independent model saw broken of one law. */
export function seen(world: World, law: number): Finding[] {
  const model = world.model.finish().filter((violation) => violation.law === law);
  const own = world.broken.filter((finding) => finding.law === law);
  return [...model, ...own].map(({ detail }) => detail);
}

/**
 * Law 1, by a queue of its own: an operation runs when, and only when, every earlier overlapping
 * one of its file is over. What runs is known from what the first consumer of the file was told.
 */
export function queueFindings(world: World): Finding[] {
  const found: Finding[] = [];
  for (const [file, probe] of world.probes.entries()) {
    const mine = world.operations.filter((operation) => operation.file === file);
    const expected = new Map<string, number>();
    for (const [i, operation] of mine.entries()) {
      if (operation.kind !== 'punch') continue;
      const { outcome, range } = operation;
      const refused = typeof outcome === 'object' && outcome.code !== 'EIO';
      const blocked = mine
        .slice(0, i)
        .some((earlier) => earlier.outcome === 'pending' && overlap(earlier.range, range));
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
export function interleavingFindings(journal: Iterable<Recorded>): Finding[] {
  const found: Finding[] = [];
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
export function tellingOrderFindings(world: World): Finding[] {
  const found: Finding[] = [];
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
export function registrationFindings(world: World): Finding[] {
  const known = world.consumers
    .filter(({ place, left, file }) => place !== undefined && !left && !file.closed)
    .map(({ name }) => name);
  const recorded = world.memfile.state.toJSON().registrations.map(({ name }) => name);
  const difference = `${sorted(recorded)} and not ${sorted(known)}`;
  return sorted(recorded) === sorted(known) ? [] : [difference];
}

/** Law 3: every begin that a consumer was told has exactly one end or one `left` row. */
export function balanceFindings(world: World): Finding[] {
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
  const found: Finding[] = [];
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

/** Law 5: a snapshot is what the first consumer of the file knew at that position. */
export function snapshotFindings(world: World): Finding[] {
  const found: Finding[] = [];
  for (const { name, file, range, place, access } of world.consumers) {
    const probe = world.probes[world.files.indexOf(file)]!;
    if (place === undefined || name === probe.name) continue;
    const there = new PageSet();
    for (const delivery of world.deliveries) {
      if (delivery.consumer === probe && delivery.position <= place.position) fold(there, delivery);
    }
    for (let page = 0; page < LAST; page++) {
      const side = world.ledger.sideOf(file.id, page, place.position);
      if (access !== 'both' && side !== access) there.remove(page, page + 1);
    }
    const known = JSON.stringify(there.within(range.start, range.end));
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

/** Law 7: of every event that the first consumer was told, each other one was told its part. */
export function clippingFindings(world: World): Finding[] {
  const found: Finding[] = [];
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
  return world.ledger.sideOf(file.id, event.start, event.position) === access;
}

/** A store that does not take back what was refused is reported; its pages are its own affair. */
export function storeKept(world: World): boolean {
  return world.operations.some(
    ({ outcome }) => typeof outcome === 'object' && outcome.message.includes('did not take'),
  );
}

/**
 * Every consumer is told that it can use a page exactly when all who have a say agree: it is there,
 * of its side, and has no error. By the books of the store, where no operation is at work.
 */
export function usableFindings(world: World): Finding[] {
  if (storeKept(world)) return [];
  const found: Finding[] = [];
  for (const [index, file] of world.files.entries()) {
    if (file.closed) continue;
    const settled = new PageSet();
    settled.add(0, LAST);
    for (const { range } of world.pending().filter((one) => one.file === index)) {
      settled.remove(range.start, range.end);
    }
    const clipped = (pages: readonly PageRange[]): string => {
      const parts = pages.flatMap(({ start, end }) => settled.within(start, end));
      return JSON.stringify(parts);
    };
    for (const access of ['both', 'private', 'shared'] as const) {
      const expected = clipped(world.ledger.usable(file.id, { start: 0, end: LAST }, access));
      const answer = clipped(file.populated(0, LAST, access));
      if (answer !== expected) found.push(`populated(${access}) is ${answer}, not ${expected}`);
    }
    for (let page = 0; page < LAST; page++) {
      const side = world.ledger.sideOf(file.id, page);
      if (file.isPrivate(page) !== (side === 'private')) found.push(`page ${page} is not ${side}`);
    }
    for (const consumer of world.consumers) {
      const { name, range, place, left, access, usable } = consumer;
      if (consumer.file !== file || place === undefined || left) continue;
      const expected = clipped(world.ledger.usable(file.id, range, access));
      const knows = clipped(usable.within(0, LAST));
      if (knows !== expected) found.push(`${name} can use ${knows}, and should use ${expected}`);
    }
  }
  return found;
}

/** Law 8: what was asked is undone in reverse, all of it or nothing. */
export function undoFindings(journal: Iterable<Recorded>): Finding[] {
  const asked = new Map<number, string[]>();
  const undone = new Map<number, string[]>();
  for (const event of journal) {
    if (event.type !== 'prepare' && event.type !== 'rollback') continue;
    const { operation, start, end } = event;
    const ranges = event.type === 'prepare' ? asked : undone;
    ranges.set(operation, [...(ranges.get(operation) ?? []), `[${start}, ${end})`]);
  }
  return [...undone].flatMap(([operation, ranges]) => {
    const should = [...(asked.get(operation) ?? [])].reverse().join();
    return should === ranges.join()
      ? []
      : [`operation ${operation} undid ${ranges}, not ${should}`];
  });
}

/** Law 8: a page is of the side that the last conversion which took place gave it. */
export function conversionFindings(world: World): Finding[] {
  const found: Finding[] = [];
  for (const [index, file] of world.files.entries()) {
    const sides = new Map<number, string>();
    for (const { to, file: of, range, outcome } of world.operations) {
      if (of !== index || to === undefined) continue;
      if (outcome !== 'done' && (outcome === 'pending' || outcome.effect !== 'done')) continue;
      for (let page = range.start; page < range.end; page++) sides.set(page, to);
    }
    for (let page = 0; page < LAST; page++) {
      const [is, should] = [world.ledger.sideOf(file.id, page), sides.get(page) ?? 'shared'];
      if (is !== should) found.push(`page ${page} of file ${index} is ${is}, not ${should}`);
    }
  }
  return [...found, ...refusalFindings(world)];
}

/** Conversions that are refused late name the lease in their way, and nothing else refuses them. */
function refusalFindings(world: World): Finding[] {
  const found: Finding[] = [];
  const late = [...world.refused];
  for (const { to, zeroes, file, range, outcome } of world.operations) {
    if (to === undefined || typeof outcome !== 'object') continue;
    const { code, refused } = outcome;
    if (code !== 'EAGAIN' && code !== 'EIO' && code !== 'ENOMEM') continue;
    if (outcome.effect === 'done') continue;
    const { id } = world.files[file]!;
    const at = late.findIndex((one) => {
      const same = one.file === id && one.start === range.start && one.end === range.end;
      if (!same || code !== 'EAGAIN') return same;
      const holders = sorted(one.holders) === sorted(refused?.holders ?? []);
      return one.page === refused?.page && holders && one.holders.includes(refused!.consumer);
    });
    const ofContents = zeroes === true && code !== 'EAGAIN';
    if (at < 0 && !ofContents)
      found.push(`${code} of [${range.start}, ${range.end}): ${outcome.message}`);
    if (at >= 0) late.splice(at, 1);
  }
  for (const { start, end } of late)
    found.push(`[${start}, ${end}) did not change, without a word`);
  return found;
}

function toldOf(world: World, consumer: Consumer, at: number): string[] {
  return world.deliveries
    .filter((delivery) => delivery.consumer === consumer && delivery.position === at)
    .map(({ type, start, end }) => `${type} ${start} ${end}`);
}

function sorted(names: readonly string[]): string {
  return [...names].sort().join();
}
