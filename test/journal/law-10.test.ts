import { describe, expect, it, vi } from 'vitest';
import {
  createMemfile,
  defineEvents,
  EventHistory,
  evolve,
  EVOLVE_VERSION,
  MemfileState,
  MemoryJournal,
  replay,
  restoreState,
  saveState,
  type BackingStore,
  type Journal,
  type JournalEvent,
  type Memfile,
  type OwnEvents,
  type Recorded,
  type StoreFile,
} from '../../core/index.js';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { vitestCommand } from '../kit/runner.js';
import { SEED } from '../kit/seed.js';
import { tryLaw } from '../kit/suite.js';
import { play } from '../kit/world/play.js';
import { program, shorterPrograms, type Program, type Step } from '../kit/world/program.js';
import { showProgram } from '../kit/world/show-program.js';
import { JournalModel } from '../model/index.js';
import { temporaryFiles } from './files.js';

// Child processes, disks, and machines that do other things too.
vi.setConfig({ testTimeout: 60_000 });

const path = temporaryFiles();

/** What a store with books says, and a state in which order and number of all of it can be told. */
type Booked =
  | { readonly type: 'allocate'; readonly start: number; readonly end: number }
  | { readonly type: 'free'; readonly why: string };

const BOOKS = defineEvents({
  name: 'books',
  history: EventHistory.first<Booked>(),
  initial: { count: 0, hash: 0 },
  evolve: ({ count, hash }: { readonly count: number; readonly hash: number }, event) => ({
    count: count + 1,
    hash: event.type === 'allocate' ? mixed(hash, event.start, event.end) : mixed(hash, -1),
  }),
  reopened: ({ count, hash }) => ({ count, hash: mixed(hash, 7) }),
});

function mixed(hash: number, ...values: readonly number[]): number {
  return values.reduce((sum, value) => (sum * 31 + value + 17) % 1_000_003, hash);
}

/** shmem that records every call of it. */
function booked(): BackingStore<'shmem'> {
  const store = shmem();
  let books: OwnEvents<Booked> | undefined;
  return {
    ...store,
    attach: (host) => void (books = host.declare(BOOKS)),
    createFile(spec) {
      const file: StoreFile = store.createFile(spec);
      const { allocate, free } = file;
      file.allocate = (start, end) => {
        books?.record({ type: 'allocate', start, end });
        return allocate.call(file, start, end);
      };
      file.free = (start, end, why = 'punch') => {
        books?.record({ type: 'free', why });
        return free.call(file, start, end, why);
      };
      return file;
    },
  };
}

/** A state of no events, or a restored one, that knows the books. */
function withBooks(state = new MemfileState()): MemfileState {
  state.own.declare(BOOKS, new MemoryJournal(), state); // Which has nothing: nothing may be missing.
  return state;
}

const fold = (events: readonly JournalEvent[], state = withBooks()): MemfileState =>
  events.reduce((state, event) => evolve(state, event), state);

/** The books, folded from the rows themselves. */
function booksOf(events: readonly JournalEvent[]): { count: number; hash: number } {
  const books = { count: 0, hash: 0 };
  for (const event of events) {
    if (event.type === 'open' && books.count > 0) books.hash = mixed(books.hash, 7);
    if (event.type !== 'plugin') continue;
    const { start, end } = event.data as { readonly start?: number; readonly end?: number };
    books.count++;
    books.hash = start === undefined ? mixed(books.hash, -1) : mixed(books.hash, start, end!);
  }
  return books;
}

const text = (state: MemfileState): string => JSON.stringify(state.toJSON());

const whole = { start: 0, pages: 0, access: 'both', budget: 0 } as const;
const registering = { do: 'register', ...whole, observer: false, replay: false } as const;

/** So that every journal has leases, consumers at work and failing, and frames in quarantine. */
const PRELUDE: readonly Step[] = [
  { do: 'fallocate', file: 0, start: 0, pages: 3 },
  { do: 'fallocate', file: 0, start: 3, pages: 5 },
  { ...registering, file: 0, behaviours: ['wait'], votes: true },
  { ...registering, file: 0, behaviours: ['throw', 'ok', 'throw'], votes: false },
  { ...registering, file: 1, behaviours: ['wait'], votes: true },
  { do: 'lookup', who: 2, page: 1 },
  { do: 'lookup', who: 3, page: 5 },
  { do: 'punch', file: 0, start: 0, pages: 2 },
  { do: 'fallocate', file: 1, start: 0, pages: 4 },
  { do: 'settle', which: 0 },
];

/** What one random program recorded, with everything that consumers were told. */
async function recorded(program: Program): Promise<{ events: Recorded[]; live: string }> {
  const steps = [...PRELUDE, ...program.steps];
  const { memfile } = await play({ steps }, { record: 'full', store: booked });
  return { events: [...memfile.journal.read(1)], live: text(memfile.state) };
}

function filled<J extends Journal>(journal: J, events: readonly Recorded[]): J {
  for (const { position: _, ...event } of events) journal.append(event as JournalEvent);
  return journal;
}

/** Some positions of a journal: both ends, and those after every so many events. */
function cuts(last: number, parts: number): number[] {
  const step = Math.max(1, Math.floor(last / parts));
  return [...Array.from({ length: Math.ceil(last / step) }, (_, i) => 1 + i * step), last];
}

/** The frames that nobody may be given, by what the state says. */
function taken(state: MemfileState): Set<number> {
  const frames = new Set<number>();
  const add = (pfn: number, pages: number): void => {
    for (let frame = pfn; frame < pfn + pages; frame++) frames.add(frame);
  };
  const { files, leases, quarantined } = state.toJSON();
  for (const file of files) for (const [start, end, pfn] of file.frames) add(pfn, end - start);
  for (const { pfn, order } of leases) add(pfn, 2 ** order);
  for (const { pfn, start, end } of quarantined) add(pfn, end - start);
  return frames;
}

/** Fills every file, and says which frames were handed out that were somebody's. */
async function handedOutTwice(memfile: Memfile<readonly [BackingStore]>): Promise<string[]> {
  const before = taken(memfile.state);
  const from = memfile.journal.position + 1;
  for (const file of memfile.files) await file.fallocate(0, 32, { keepSize: true });
  const found: string[] = [];
  for (const event of memfile.journal.read(from)) {
    if (event.type !== 'fallocate') continue;
    for (let page = event.start; page < event.end; page++) {
      const frame = event.pfn + (page - event.start);
      if (before.has(frame)) found.push(`frame ${frame} was taken and is given to page ${page}`);
      before.add(frame);
    }
  }
  return found;
}

/** The frames that pages leave for good amid invalidations that are open: poisoned, or not let go of. */
function failedToLetGo(journal: Journal, state: MemfileState): number[] {
  const frames: number[] = [];
  for (const event of journal.read(1)) {
    if (event.type !== 'failure' || event.callback !== 'invalidate') continue;
    const file = state.files.get(event.file);
    const open = file?.open.get(event.operation);
    const told = state.registrations.get(event.registration);
    if (file === undefined || open === undefined || told === undefined) continue;
    const end = Math.min(open.end, told.end, 64);
    for (let page = Math.max(open.start, told.start); page < end; page++) {
      const kept = open.kept.some((range) => range.start <= page && page < range.end);
      if (file.frames.has(page) && !kept) frames.push(file.frames.get(page));
    }
  }
  for (const { open, poisoned, untrusted, frames: there } of state.files.values()) {
    for (const { start, end, reason, kept } of open.values()) {
      if (reason === 'convert' || reason === 'poison') continue;
      const bad = (page: number): boolean =>
        poisoned.has(page) || untrusted.some((one) => one.start <= page && page < one.end);
      const stays = (page: number): boolean =>
        kept.some((range) => range.start <= page && page < range.end);
      for (let page = start; page < Math.min(end, 64); page++) {
        if (there.has(page) && bad(page) && !stays(page)) frames.push(there.get(page));
      }
    }
  }
  return frames;
}

/** Goes on with a journal, and says what of it is not as it should be. */
async function reopened(journal: Journal, before: MemfileState): Promise<string[]> {
  const last = journal.position;
  const leaked = JSON.stringify(before.toJSON().leases);
  const failed = failedToLetGo(journal, before);
  const memfile = createMemfile({ plugins: [booked()] as const, journal });
  const { state } = memfile;
  const found = [];
  const closed = [...journal.read(last + 1)];
  if (closed[0]?.type !== 'open') found.push('it is not said who closes');
  const open = [...state.files.values()].some(
    ({ open, prepared }) => open.size + prepared.size > 0,
  );
  if (open) found.push('an operation is still open');
  const here = [...state.registrations.values()].filter(({ left }) => !left);
  if (here.length > 0) found.push('consumers of the dead process are still registered');
  if (JSON.stringify(state.toJSON().leases) !== leaked) found.push('a leak has lost its name');
  for (const pfn of failed) {
    if (!taken(state).has(pfn)) found.push(`frame ${pfn} is free, and somebody may still use it`);
  }
  if (memfile.files.size !== state.files.size) found.push('files are missing');
  found.push(...(await handedOutTwice(memfile as unknown as Memfile<readonly [BackingStore]>)));
  if (text(replay(journal, journal.position, [BOOKS])) !== text(state)) {
    found.push('the replay is not the state');
  }
  const books = JSON.stringify(state.own.of(BOOKS));
  if (books !== JSON.stringify(booksOf([...journal.read(1)]))) found.push('the books are wrong');
  const model = new JournalModel();
  for (const event of journal.read(1)) model.see(event);
  found.push(...model.violations.map(({ position, detail }) => `at ${position}: ${detail}`));
  if (model.open > 0) found.push('by the model, an operation is still open');
  return found;
}

/** One test: `broken` answers nothing, whatever the program. */
function check(
  what: string,
  runs: number,
  broken: (program: Program) => Promise<readonly string[]>,
): void {
  const law = { law: 10, programs: program, show: showProgram, shorter: shorterPrograms, broken };
  it(`${what} (${runs} programs, seed ${SEED})`, () =>
    tryLaw(law, what, { seed: SEED, runs, command: vitestCommand }));
}

describe('law 10: the journal is the truth', () => {
  check('live = replay = replay from any checkpoint', 150, async (program) => {
    const { events, live } = await recorded(program);
    const found = text(fold(events)) === live ? [] : ['the replay is not the live state'];
    const state = withBooks();
    for (const at of cuts(events.length, 12)) {
      fold(events.slice(state.position, at), state);
      const books = booksOf(events.slice(0, at));
      expect(books.count).toBeGreaterThanOrEqual(at === events.length ? 2 : 0);
      if (JSON.stringify(state.own.of(BOOKS)) !== JSON.stringify(books)) {
        found.push(`the books are wrong at ${at}`);
      }
      const restored = withBooks(restoreState(saveState(state)));
      expect(restored).toEqual(state);
      const rest = text(fold(events.slice(at), restored));
      if (rest !== live) found.push(`from ${at} on it is ${rest}`);
    }
    return found;
  });

  check('a journal that ends anywhere is gone on with', 150, async (program) => {
    const { events } = await recorded(program);
    const found: string[] = [];
    for (const at of cuts(events.length, 12)) {
      const prefix = filled(new MemoryJournal(), events.slice(0, at));
      const wrong = await reopened(prefix, fold(events.slice(0, at)));
      found.push(...wrong.map((what) => `cut at ${at}: ${what}`));
    }
    return found;
  });

  check('the same in a database, and from its checkpoints', 25, async (program) => {
    const { events } = await recorded(program);
    const at = Math.ceil(events.length * 0.8);
    const file = path();
    const journal = filled(SqliteJournal.open(file, { durability: 'memory' }), events.slice(0, at));
    const half = Math.ceil(at / 2);
    const state = saveState(fold(events.slice(0, half)));
    journal.saveCheckpoint({ position: half, version: EVOLVE_VERSION, state });
    await journal.close();
    const before = fold(events.slice(0, at));
    const found = [];
    const reader = SqliteJournal.read(file);
    for (const n of cuts(at, 6)) {
      const again = text(replay(reader, n, [BOOKS]));
      if (again !== text(fold(events.slice(0, n)))) found.push(`not so at ${n}`);
    }
    await reader.close();
    const again = SqliteJournal.open(file, { durability: 'memory', expectedPosition: at });
    found.push(...(await reopened(again, before)));
    await again.close();
    return found;
  });
});
