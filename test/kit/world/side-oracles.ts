import type { PageRange, Recorded } from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';
import { sorted } from './oracles.js';
import { PAGES } from './program.js';
import type { World } from './world.js';

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
export function usableFindings(world: World): string[] {
  if (storeKept(world)) return [];
  const { ledger, conversions } = world;
  const found: string[] = [];
  const all = { start: 0, end: lastOf(world) };
  for (const [index, file] of world.files.entries()) {
    if (file.closed) continue;
    const settled = new PageSet();
    settled.add(all.start, all.end);
    for (const { widest } of world.pending().filter((one) => one.file === index)) {
      settled.remove(widest.start, widest.end);
    }
    const clipped = (pages: readonly PageRange[]): string => {
      const parts = pages.flatMap(({ start, end }) => settled.within(start, end));
      return JSON.stringify(parts);
    };
    const sound = ledger.sound(file.id);
    for (const access of ['both', 'private', 'shared'] as const) {
      const business = conversions.sides.within(file.id, all, access);
      const usable = business.flatMap(({ start, end }) => sound.within(start, end));
      const expected = clipped(usable);
      const answer = clipped(file.populated(all.start, all.end, access));
      if (answer !== expected) found.push(`populated(${access}) is ${answer}, not ${expected}`);
      for (const {
        file: of,
        place,
        left,
        name,
        range,
        access: own,
        usable: knows,
      } of world.consumers) {
        if (of !== file || place === undefined || left || own !== access) continue;
        const mine = usable.flatMap((pages) => clip(pages, range));
        const should = clipped(mine);
        const is = clipped(knows.within(all.start, all.end));
        if (is !== should) found.push(`${name} can use ${is}, and should use ${should}`);
      }
    }
    // Programs tell the pages of one unit never apart.
    for (let page = 0; page < all.end; page += world.pages / PAGES) {
      const side = conversions.sides.sideOf(file.id, page);
      if (file.isPrivate(page) !== (side === 'private')) found.push(`page ${page} is not ${side}`);
    }
  }
  return found;
}

function clip({ start, end }: PageRange, within: PageRange): PageRange[] {
  const part = { start: Math.max(start, within.start), end: Math.min(end, within.end) };
  return part.start < part.end ? [part] : [];
}

/** No page of a program lies past it. */
function lastOf(world: World): number {
  return 2 * world.pages;
}

/** Law 8: what was asked is undone in reverse, all of it or nothing. */
export function undoFindings(journal: Iterable<Recorded>): string[] {
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

/** Law 8: nothing comes to a consumer with a vote that it was not asked about. */
export function unaskedFindings(world: World): string[] {
  const found: string[] = [];
  const asked = new Map(world.consumers.map((consumer) => [consumer, new PageSet()]));
  for (const { consumer, type, start, end, position } of world.deliveries) {
    const pages = asked.get(consumer)!;
    if (type === 'prepare') pages.add(start, end);
    if (type !== 'rollback' && type !== 'fallocate') continue;
    const [whole] = pages.within(start, end);
    const known = whole?.start === start && whole.end === end;
    if (consumer.votes && !known) found.push(`${consumer.name} was not asked before ${position}`);
    pages.remove(start, end);
  }
  return found;
}

/** Law 8: a page is of the side that the last conversion which took place gave it. */
export function conversionFindings(world: World): string[] {
  const found: string[] = [];
  for (const [index, file] of world.files.entries()) {
    const should = new PageSet();
    for (const { to, file: of, range, outcome } of world.operations) {
      if (of !== index || to === undefined) continue;
      if (outcome !== 'done' && (outcome === 'pending' || outcome.effect !== 'done')) continue;
      if (to === 'private') should.add(range.start, range.end);
      else should.remove(range.start, range.end);
    }
    const [is, known] = [world.conversions.sides.privatePages(file.id), should].map((pages) =>
      JSON.stringify(pages.within(0, lastOf(world))),
    );
    if (is !== known) found.push(`${is} of ${file.name} are private, not ${known}`);
  }
  return [...found, ...refusalFindings(world)];
}

/** Conversions that are refused late name the lease in their way, and nothing else refuses them. */
function refusalFindings(world: World): string[] {
  const found: string[] = [];
  const late = [...world.conversions.refused];
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
