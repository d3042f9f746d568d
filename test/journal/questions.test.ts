import { describe, expect, it } from 'vitest';
import {
  firstDivergence,
  gracePeriods,
  holders,
  lastTouch,
  notificationsOf,
  type Span,
} from '../../adapters/journal-questions/index.js';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import {
  Clock,
  createMemfile,
  EVOLVE_VERSION,
  MemoryJournal,
  replay,
  saveState,
  type Access,
  type Journal,
  type JournalEvent,
  type Recorded,
  type RecordLevel,
} from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { vitestCommand } from '../kit/runner.js';
import { SEED } from '../kit/seed.js';
import { tryLaw } from '../kit/suite.js';
import { play } from '../kit/world/play.js';
import { program, shorterPrograms, type Program } from '../kit/world/program.js';
import { showProgram } from '../kit/world/show-program.js';
import { temporaryFiles } from './files.js';

const path = temporaryFiles();

class HandClock extends Clock {
  ms = 0;
  override now(): number {
    return this.ms;
  }
  override after(): never {
    throw new Error('nobody asks for it');
  }
}

/** Two consumers; one holds a punch up for 7 ms, one an arrival for 3 ms, and one for good. */
async function recorded(journal: Journal, record: RecordLevel = 'full') {
  const clock = new HandClock();
  const memfile = createMemfile({ plugins: [shmem()], journal, record, clock });
  const ram = memfile.createFile('shmem', { size: 16, name: 'ram' });
  let letGo = (): void => {};
  const later = (): Promise<void> => new Promise((resolve) => (letGo = resolve));
  const slow = await ram.register(
    {
      name: 'slow',
      invalidate: later,
      fallocate: (start: number) => (start === 6 ? later() : undefined),
    },
    { range: { start: 0, end: 8 } },
  );
  await ram.fallocate(0, 4);
  const lease = slow.lookup(2);
  const other = await ram.register({ name: 'other', invalidate: () => {} });
  const marks: Record<string, number> = { there: journal.position };
  const punched = ram.punchHole(2, 4);
  marks['leaving'] = journal.position;
  clock.ms = 7;
  letGo();
  await punched;
  marks['gone'] = journal.position;
  const grown = ram.fallocate(6, 7);
  clock.ms = 10;
  letGo();
  await grown;
  lease.put();
  marks['put'] = journal.position;
  other.unsubscribe();
  await other.closed;
  void ram.punchHole(0, 1).catch(() => {});
  clock.ms = 11;
  return { journal, marks, memfile, slow };
}

describe('questions to a journal', () => {
  it('who held a page: leases, and consumers that were told of it', async () => {
    const { journal, marks } = await recorded(new MemoryJournal());
    const ask = (mark: string, page = 2) => holders(journal, { file: 1, page, at: marks[mark]! });
    const there = ask('there');
    expect(there).toMatchObject({
      pfn: expect.any(Number),
      leases: [{ consumer: 'slow', count: 1, stale: false }],
      mappings: [
        { consumer: 'slow', told: 'there' },
        { consumer: 'other', told: 'there' },
      ],
    });
    expect(ask('leaving')).toMatchObject({ mappings: [{ consumer: 'slow', told: 'leaving' }] });
    expect(ask('gone')).toMatchObject({ pfn: null, leases: [{ stale: true }], mappings: [] });
    expect(ask('put')).toMatchObject({ pfn: null, leases: [], mappings: [] });
    expect(ask('there', 1).leases).toEqual([]);
    for (const page of [4, 9]) {
      expect(ask('there', page)).toMatchObject({ pfn: null, leases: [], mappings: [] });
    }
    // By the event that each was told of, or by its registration when the page was there already.
    const at = (type: string) =>
      [...journal.read(1)].find((event) => event.type === type)!.position;
    expect(there.mappings?.map(({ position }) => position)).toEqual([
      at('fallocate'),
      marks['there'],
    ]);
  });

  it('a lease is of all pages around it, and stale by the frame of the page asked about', async () => {
    const journal = new MemoryJournal();
    const memfile = createMemfile({ plugins: [hugetlb({ pool: 2 })], journal });
    const ram = memfile.createFile('hugetlb', { size: 1024 });
    const other = memfile.createFile('hugetlb', { size: 512 });
    await ram.fallocate(0, 512);
    const vm = await ram.register({ name: 'vm' });
    vm.lookup(5);
    const ask = (page: number, file = ram) =>
      holders(journal, { file: file.id, page }).leases.map(({ stale }) => stale);
    expect([ask(5), ask(7), ask(511), ask(512), ask(7, other)]).toEqual([
      [false],
      [false],
      [false],
      [],
      [],
    ]);
    const lookup = journal.position;
    const asked = { file: ram.id, page: 300 };
    expect(lastTouch(journal, asked)?.position).toBe(lookup);
    expect(lastTouch(journal, { ...asked, page: 600 })).toBeUndefined();
    expect(lastTouch(journal, { ...asked, file: other.id })).toBeUndefined();
    await ram.punchHole(0, 512);
    expect(ask(7)).toEqual([true]);
  });

  it('who was told is not known either where a process without deliveries went on', async () => {
    const { journal } = await recorded(new MemoryJournal());
    const copy = new MemoryJournal();
    for (const { position: _, ...event } of journal.read(1)) copy.append(event as JournalEvent);
    const memfile = createMemfile({ plugins: [shmem()], journal: copy });
    const ram = memfile.files.get(1)!;
    await ram.register({ name: 'late', fallocate: () => {} });
    await ram.fallocate(8, 10);
    expect(holders(copy, { file: 1, page: 8 }).mappings).toBeNull();
  });

  it('the last touch is found wherever it is in a long journal', () => {
    const journal = new MemoryJournal();
    const where = { file: 1, operation: 1, reason: 'fallocate' } as const;
    for (let page = 0; page < 2100; page++) {
      journal.append({ type: 'fallocate', ...where, start: page, end: page + 1, pfn: page });
    }
    for (let page = 0; page < 2100; page += page % 1000 < 150 ? 1 : 150) {
      expect(lastTouch(journal, { file: 1, page })?.position).toBe(page + 1);
    }
  });

  it('the last touch is found behind the creation of another file, not of its own', async () => {
    const journal = new MemoryJournal();
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const first = memfile.createFile('shmem', { size: 8 });
    await first.fallocate(0, 2);
    const touched = journal.position;
    const second = memfile.createFile('shmem', { size: 8 });
    expect(lastTouch(journal, { file: first.id, page: 1 })?.position).toBe(touched);
    expect(lastTouch(journal, { file: second.id, page: 1 })).toBeUndefined();
    const stuck = (): never => {
      throw new Error('stuck');
    };
    await first.register({ invalidate: stuck }, { range: { start: 1, end: 2 } });
    await first.punchHole(0, 2).catch(() => {});
    const leaked = [...journal.read(1)].find(({ type }) => type === 'quarantine')!;
    const asked = { file: first.id, at: leaked.position };
    expect(lastTouch(journal, { ...asked, page: 1 })).toEqual(leaked);
    expect(lastTouch(journal, { ...asked, page: 0 })?.type).toBe('invalidate');
  });

  it('who held a page that stayed, and only changed sides or was poisoned', async () => {
    const journal = new MemoryJournal();
    const memfile = createMemfile({ plugins: [shmem()], journal, record: 'deliveries' });
    const ram = memfile.createFile('shmem', { size: 8, name: 'ram' });
    const other = memfile.createFile('shmem', { size: 8, name: 'other' });
    await ram.fallocate(0, 4);
    await other.fallocate(0, 4);
    await other.register({ name: 'elsewhere', invalidate: () => {} });
    const register = (name: string, access: Access) =>
      ram.register({ name, fallocate: () => {}, invalidate: () => {} }, { access });
    await register('both', 'both');
    await register('host', 'shared');
    const guest = await register('guest', 'private');
    const ask = (page: number) =>
      holders(journal, { file: 1, page })
        .mappings?.map(({ consumer, told, position }) => {
          expect([told, journal.position >= position]).toEqual(['there', true]);
          return consumer;
        })
        .sort();
    expect(ask(1)).toEqual(['both', 'host']);
    await ram.convert(0, 2, 'private');
    expect([ask(0), ask(1), ask(2), ask(5)]).toEqual([
      ['both', 'guest'],
      ['both', 'guest'],
      ['both', 'host'],
      [],
    ]);
    const late = await register('late', 'private');
    expect([ask(1), ask(2)]).toEqual([
      ['both', 'guest', 'late'],
      ['both', 'host'],
    ]);
    const lease = guest.lookup(1);
    await expect(ram.convert(0, 3, 'shared')).rejects.toMatchObject({ code: 'EAGAIN' });
    lease.put();
    expect([ask(1), ask(2)]).toEqual([
      ['both', 'guest', 'late'],
      ['both', 'host'],
    ]);
    await ram.poison(1);
    expect([ask(1), ask(0)]).toEqual([[], ['both', 'guest', 'late']]);
    late.unsubscribe();
    await ram.convert(0, 1, 'shared');
    expect(ask(0)).toEqual(['both', 'host']);
  });

  it('who was told is not known of a journal without deliveries', async () => {
    const { journal, marks } = await recorded(new MemoryJournal(), 'state');
    const held = holders(journal, { file: 1, page: 2, at: marks['there']! });
    expect(held).toMatchObject({ leases: [{ consumer: 'slow' }], mappings: null });
  });

  it('the longest grace periods, who blocked them, and one that is not over', async () => {
    const { journal } = await recorded(new MemoryJournal());
    const told = gracePeriods(journal).map(({ callback, ms, over, blockers }) => ({
      callback,
      ms,
      over,
      blockers: blockers.map(({ consumer, ms }) => [consumer, ms]),
    }));
    expect(told).toEqual([
      { callback: 'invalidate', ms: 7, over: true, blockers: [['slow', 7]] },
      { callback: 'fallocate', ms: 3, over: true, blockers: [['slow', 3]] },
      { callback: 'invalidate', ms: 0, over: false, blockers: [['slow', null]] },
    ]);
    expect(gracePeriods(journal, 1)).toHaveLength(1);
    const { journal: timeless } = await recorded(new MemoryJournal(), 'deliveries');
    expect(() => gracePeriods(timeless)).toThrow(/EOPNOTSUPP.*level full/s);
  });

  it('a grace period lasts until the last has answered, is evicted, or its process is no more', async () => {
    const clock = new HandClock();
    const journal = new MemoryJournal();
    const memfile = createMemfile({ plugins: [shmem()], journal, record: 'full', clock });
    const ram = memfile.createFile('shmem', { size: 16 });
    const work: Record<string, () => void> = {};
    const slow = (name: string) =>
      ram.register({
        name,
        invalidate: () => new Promise<void>((resolve) => (work[name] = resolve)),
      });
    const a = await slow('a');
    const b = await slow('b');
    const until = async (ms: number, what: () => void): Promise<void> => {
      clock.ms = ms;
      what();
      await new Promise((resolve) => setImmediate(resolve));
    };
    const first = ram.punchHole(0, 1);
    await until(3, () => work['b']!());
    await until(5, () => work['a']!());
    await first;
    await b.unregister();
    await until(20, () => {});
    const second = ram.punchHole(1, 2).catch(() => {});
    await until(29, () => a.evict());
    await second;
    await slow('c');
    void ram.punchHole(2, 3);
    const copy = new MemoryJournal();
    for (const { position: _, ...event } of journal.read(1)) copy.append(event as JournalEvent);
    clock.ms = 99;
    const again = createMemfile({ plugins: [shmem()], journal: copy, record: 'full', clock });
    await again.files.get(1)!.fallocate(0, 1);
    const told = gracePeriods(copy).map(({ ms, over, blockers }) => [
      ms,
      over,
      blockers.map(({ consumer, ms }) => `${consumer} ${ms}`).join(),
    ]);
    expect(told).toEqual([
      [9, true, 'a 9'],
      [5, true, 'a 5,b 3'],
      [0, false, 'c null'],
    ]);
  });

  it('grace periods name consumers whose registration the journal has forgotten', async () => {
    const { journal, marks } = await recorded(new MemoryJournal());
    const at = marks['there']!;
    const state = saveState(replay(journal, at));
    journal.saveCheckpoint({ position: at, version: EVOLVE_VERSION, state });
    expect(journal.truncate(at + 1, EVOLVE_VERSION)).toBe(at + 1);
    expect(gracePeriods(journal)[0]).toMatchObject({ ms: 7, blockers: [{ consumer: 'slow' }] });
  });

  it('what a consumer was told, of pages and positions', async () => {
    const { journal, marks } = await recorded(new MemoryJournal());
    const told = [...notificationsOf(journal, 'slow')].map(({ type, start, end }) => [
      type,
      start,
      end,
    ]);
    expect(told).toEqual([
      ['fallocate', 0, 4],
      ['invalidate', 2, 4],
      ['invalidateEnd', 2, 4],
      ['fallocate', 6, 7],
      ['invalidate', 0, 1],
    ]);
    const within = (span: Span) =>
      [...notificationsOf(journal, 'slow', span)].map(({ type, start }) => `${type} ${start}`);
    expect(within({ start: 4, end: 7 })).toEqual(['fallocate 6']);
    expect(within({ start: 0, end: 2 })).toEqual(['fallocate 0', 'invalidate 0']);
    const { position } = [...journal.read(1)].find(({ type }) => type === 'delivery')!;
    expect(within({ to: position })).toEqual(['fallocate 0']);
    expect(within({ to: position - 1 })).toEqual([]);
    const part = [...notificationsOf(journal, 'other', { from: marks['there']! + 1, end: 4 })];
    expect(part.map(({ type }) => type)).toEqual(['invalidate', 'invalidateEnd']);
  });

  it('where two journals part, times and levels not counted', async () => {
    const { journal: a } = await recorded(new MemoryJournal());
    const { journal: b } = await recorded(new MemoryJournal(), 'deliveries');
    expect(firstDivergence(a, b)).toBeUndefined();
    const changed = new MemoryJournal();
    let at = 0;
    for (const { position, ...event } of b.read(1)) {
      const other = event.type === 'lookup' ? { ...event, pfn: event.pfn + 1 } : event;
      if (event.type === 'lookup') at = position;
      changed.append(other as JournalEvent);
    }
    expect(firstDivergence(b, changed)).toMatchObject({ a: { position: at }, b: { position: at } });
    expect(firstDivergence(a, changed)).toMatchObject({ b: { position: at } });
    changed.append({ type: 'close', file: 1 });
    const shorter = new MemoryJournal();
    expect(firstDivergence(shorter, changed)).toMatchObject({ a: undefined, b: { position: 1 } });
    expect(firstDivergence(changed, shorter)).toMatchObject({ a: { position: 1 }, b: undefined });
  });

  it('are answered from a database as from memory', async () => {
    const file = SqliteJournal.open(path(), { durability: 'memory' });
    const { marks, memfile, slow } = await recorded(file);
    const { journal } = await recorded(new MemoryJournal());
    const question = { file: 1, page: 2, at: marks['leaving']! };
    expect(holders(file, question)).toEqual(holders(journal, question));
    expect(lastTouch(file, question)).toEqual(lastTouch(journal, question));
    expect(gracePeriods(file)).toEqual(gracePeriods(journal));
    slow.evict();
    await memfile[Symbol.asyncDispose]().catch(() => {}); // It says who was evicted.
  });

  it(`the last touch of any page at any position (60 programs, seed ${SEED})`, () => {
    const broken = async (program: Program): Promise<readonly string[]> => {
      const { memfile } = await play(program, { record: 'deliveries' });
      const { journal } = memfile;
      const events = [...journal.read(1)];
      const found: string[] = [];
      // Also where something seldom was the last: mostly an end of all pages follows.
      const seldom = events.filter(({ type }) => SELDOM.has(type)).map(({ position }) => position);
      for (const at of [events.length, Math.ceil(events.length / 2), ...seldom.slice(0, 8)]) {
        for (let page = 0; page < 12; page++) {
          for (const file of [1, 2]) {
            const naive = lastOf(events.slice(0, at), file, page);
            const asked = lastTouch(journal, { file, page, at })?.position;
            if (asked !== naive) found.push(`page ${page} at ${at}: ${asked}, not ${naive}`);
          }
        }
      }
      return found;
    };
    const law = { law: 10, programs: program, show: showProgram, shorter: shorterPrograms, broken };
    return tryLaw(law, 'the last touch', { seed: SEED, runs: 60, command: vitestCommand });
  });
});

const SELDOM: ReadonlySet<string> = new Set(['quarantine', 'kept', 'poison', 'convert', 'usable']);

/** By what an event has, and not by what it is called: forwards, and all of it. */
function lastOf(events: readonly Recorded[], file: number, page: number): number | undefined {
  const toldOnly = new Set(['delivery', 'answer', 'replay', 'register', 'left']);
  let last: number | undefined;
  for (const event of events) {
    if (toldOnly.has(event.type) || !('file' in event) || event.file !== file) continue;
    const whole = 'start' in event && event.start <= page && page < event.end;
    const leased = 'offset' in event && event.offset === page;
    if (whole || leased) last = event.position;
  }
  return last;
}
