import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  createMemfile,
  EVOLVE_VERSION,
  MemfileError,
  replay,
  saveState,
  type JournalEvent,
} from '../../core/index.js';
import { defaultDriver, SqliteJournal, type SqliteDriver } from '../../adapters/sqlite/index.js';
import { SEGMENT_ROWS } from '../../adapters/sqlite/segment.js';
import { shmem } from '../../plugins/shmem/index.js';
import { journalEvent } from '../kit/journals/events.js';
import { temporaryFiles } from './files.js';

// Child processes, disks, and machines that do other things too.
vi.setConfig({ testTimeout: 60_000 });

const path = temporaryFiles();
const leaving = (registration: number): JournalEvent => ({
  type: 'unregister',
  file: 1,
  registration,
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const settled = await Promise.race([promise.then(() => true), turn().then(() => false)]);
  return !settled;
};

/** SQLite of which the n-th statement that writes fails, once it is told to count. */
function failing(): { driver: SqliteDriver; failAt: (n: number) => void } {
  let left = Infinity;
  const inner = defaultDriver();
  const count = (): void => {
    if (--left === 0) throw new Error('the disk is full');
  };
  const driver: SqliteDriver = (file, options) => {
    const database = inner(file, options);
    return {
      exec(sql) {
        if (sql !== 'ROLLBACK') count();
        return database.exec(sql);
      },
      prepare(sql) {
        const statement = database.prepare(sql);
        return {
          run(...values) {
            count();
            return statement.run(...values);
          },
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
        };
      },
      close: () => database.close(),
    };
  };
  return { driver, failAt: (n) => (left = n) };
}

describe('a journal in SQLite', () => {
  it('gives back any event, from memory, from the database, and to a reader', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(journalEvent, { maxLength: 40 }),
        fc.nat(40),
        async (events, cut) => {
          const file = path();
          const journal = SqliteJournal.open(file, { durability: 'memory' });
          for (const [i, event] of events.entries()) {
            expect(journal.append(event)).toBe(i + 1);
            if (i === cut) await turn();
          }
          // What JSON has no word for is not there any more.
          const expected = events.map((event, i) => ({
            ...(JSON.parse(JSON.stringify(event)) as JournalEvent),
            position: i + 1,
          }));
          expect([...journal.read(1)]).toEqual(expected);
          await journal.close();
          const reader = SqliteJournal.read(file);
          expect([...reader.read(1)]).toEqual(expected);
          expect([...reader.read(3, 6)]).toEqual(expected.slice(2, 5));
          await reader.close();
        },
      ),
      { numRuns: 40, seed: 6 },
    );
  });

  it('with a lag, lets operations be so far ahead of the disk, and says what is on it', async () => {
    const journal = SqliteJournal.open(path(), { lag: 2 });
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const file = memfile.createFile('shmem', { size: 8 });
    await file.fallocate(0, 1);
    expect(journal).toMatchObject({ position: 2, durable: 0 });
    const third = file.fallocate(1, 2);
    expect(journal.whenDurable(3)).toBeInstanceOf(Promise);
    await third;
    expect(journal).toMatchObject({ position: 3, durable: 3 });
    await memfile[Symbol.asyncDispose]();
    expect(journal.durable).toBe(journal.position);
  });

  it('with a lag, a disk that fails stops what comes next, and the end says so', async () => {
    const { driver, failAt } = failing();
    const journal = SqliteJournal.open(path(), { driver, lag: 100 });
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const file = memfile.createFile('shmem', { size: 8 });
    failAt(1);
    await file.fallocate(0, 1); // It is ahead of the disk.
    await turn();
    expect(journal.durable).toBe(0);
    await expect(file.fallocate(1, 2)).rejects.toMatchObject({ code: 'EIO' });
    await expect(memfile[Symbol.asyncDispose]()).rejects.toThrow();
  });

  it('is durable at once where memory is asked for, and in the database all the same', async () => {
    const file = path();
    const journal = SqliteJournal.open(file, { durability: 'memory' });
    journal.append(leaving(1));
    expect(journal).toMatchObject({ position: 1, durable: 1, durability: 'memory' });
    expect(journal.whenDurable(1)).toBeUndefined();
    await turn();
    const reader = SqliteJournal.read(file);
    expect(reader.position).toBe(1);
    await reader.close();
    await journal.close();
  });

  it('answers a position at once, and is durable at the end of the turn', async () => {
    const journal = SqliteJournal.open(path());
    expect(journal.append(leaving(1))).toBe(1);
    expect(journal).toMatchObject({ position: 1, durable: 0, durability: 'disk' });
    const durable = journal.whenDurable(1);
    expect(await isPending(durable!)).toBe(false);
    expect(journal.durable).toBe(1);
    expect(journal.whenDurable(1)).toBeUndefined();
    await journal.close();
  });

  it('lets an operation resolve when its end is on disk, and others begin before', async () => {
    const journal = SqliteJournal.open(path());
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const file = memfile.createFile('shmem', { size: 8 });
    const operations = [file.fallocate(0, 8), file.punchHole(0, 4), file.fallocate(2, 4)];
    expect(file.populated()).toEqual([{ start: 2, end: 8 }]);
    expect(journal.durable).toBe(0);
    const reader = SqliteJournal.read(journal.path);
    for (const operation of operations) {
      await operation;
      expect(reader.position).toBe(journal.position);
    }
    await reader.close();
    await memfile[Symbol.asyncDispose]();
  });

  it('has one writer, in this process and in others', async () => {
    const file = path();
    const journal = SqliteJournal.open(file);
    expect(() => SqliteJournal.open(file)).toThrow(/EBUSY.*one writer/);
    const module = new URL('../../dist/adapters/sqlite/index.js', import.meta.url).href;
    const script = `import { SqliteJournal } from '${module}';
      try { SqliteJournal.open(${JSON.stringify(file)}); } catch (error) { console.log(error.code); }`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(other.stdout.trim()).toBe('EBUSY');
    await journal.close();
    await SqliteJournal.open(file).close();
  });

  it('has one memfile that writes it', async () => {
    const journal = SqliteJournal.open(path());
    createMemfile({ plugins: [shmem()], journal }).createFile('shmem', { size: 1 });
    expect(() => createMemfile({ plugins: [shmem()], journal })).toThrow('EBUSY');
    await journal.close();
  });

  it('says so when it does not end where it should, or its store is missing', async () => {
    const file = path();
    const journal = SqliteJournal.open(file, { expectedPosition: 0 });
    createMemfile({ plugins: [shmem()], journal }).createFile('shmem', { size: 1 });
    await journal.close();
    expect(() => SqliteJournal.open(file, { expectedPosition: 7 })).toThrow(/EINVAL.*position 1/);
    const again = SqliteJournal.open(file, { expectedPosition: 1 });
    expect(() => createMemfile({ plugins: [], journal: again })).toThrow(/EOPNOTSUPP.*"shmem"/);
    expect(again.position).toBe(1);
    const memfile = createMemfile({ plugins: [shmem()], journal: again });
    expect(memfile.files.size).toBe(1);
    await memfile[Symbol.asyncDispose]();
  });

  it('is read by others while it is written, in small commits and merged ones', async () => {
    const file = path();
    const journal = SqliteJournal.open(file, { durability: 'memory' });
    journal.append(leaving(1));
    await turn();
    const reader = SqliteJournal.read(file);
    const count = 3 * SEGMENT_ROWS;
    const seen: number[] = [];
    const caughtUp: number[] = [];
    const following = (async () => {
      for await (const event of reader.subscribe(1, {
        onCaughtUp: (at) => void caughtUp.push(at),
      })) {
        seen.push(event.position);
        if (event.position === count) break;
      }
    })();
    while (caughtUp.length === 0) await turn();
    expect({ caughtUp, seen }).toEqual({ caughtUp: [1], seen: [1] });
    for (let i = 2; i <= count; i++) {
      journal.append(leaving(i));
      if (i % 37 === 0) await turn();
    }
    await following;
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(reader.findDamage()).toBeUndefined();
    await reader.close();
    await journal.close();
  });

  it('follows what it appends itself, and ends at close', async () => {
    const journal = SqliteJournal.open(path(), { durability: 'memory' });
    const seen: number[] = [];
    const following = (async () => {
      for await (const { position } of journal.subscribe(2)) seen.push(position);
    })();
    for (const registration of [1, 2, 3]) journal.append(leaving(registration));
    await turn();
    expect(seen).toEqual([2, 3]);
    await journal.close();
    await following;
  });

  it('forgets what a checkpoint stands for, and no more', async () => {
    const file = path();
    const journal = SqliteJournal.open(file, { durability: 'memory' });
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const ram = memfile.createFile('shmem', { size: 64 });
    let checkpoint = 0;
    for (let i = 0; i < SEGMENT_ROWS; i++) {
      await ram.fallocate(i % 60, (i % 60) + 4);
      await ram.punchHole(i % 50, (i % 50) + 2);
      if (i !== SEGMENT_ROWS / 2) continue;
      const { state } = memfile;
      checkpoint = state.position;
      const saved = { position: checkpoint, version: EVOLVE_VERSION, state: saveState(state) };
      journal.saveCheckpoint(saved);
    }
    expect(checkpoint).toBeGreaterThan(SEGMENT_ROWS);
    expect(journal.truncate(checkpoint, EVOLVE_VERSION)).toBe(1);
    const first = journal.truncate(checkpoint + 1, EVOLVE_VERSION);
    expect(first).toBeGreaterThan(1);
    expect(first).toBeLessThanOrEqual(checkpoint + 1);
    expect(() => replay(journal, checkpoint - 1)).toThrow('ESTALE');
    expect(replay(journal).toJSON()).toEqual(memfile.state.toJSON());
    const state = memfile.state.toJSON();
    await journal.close();
    const again = SqliteJournal.open(file);
    expect(again.first).toBe(first);
    expect(again.findDamage()).toBeUndefined();
    expect(replay(again).toJSON()).toEqual(state);
    await again.close();
  });

  it('does not use a checkpoint of another version, nor a damaged one', async () => {
    const file = path();
    const journal = SqliteJournal.open(file, { durability: 'memory' });
    const memfile = createMemfile({ plugins: [shmem()], journal });
    memfile.createFile('shmem', { size: 64 });
    const wrong = { position: 1, state: '{"position":1}' };
    journal.saveCheckpoint({ ...wrong, version: EVOLVE_VERSION + 1 });
    expect(replay(journal).toJSON()).toEqual(memfile.state.toJSON());
    journal.saveCheckpoint({ ...wrong, version: EVOLVE_VERSION });
    const database = defaultDriver()(file, { readOnly: false });
    database.exec("UPDATE checkpoints SET state = CAST('{}' AS BLOB)");
    database.close();
    expect(journal.checkpoint(1, EVOLVE_VERSION)).toBeUndefined();
    expect(replay(journal).toJSON()).toEqual(memfile.state.toJSON());
    await journal.close();
  });

  it('is not another database, and not nothing', () => {
    const other = path();
    const database = defaultDriver()(other, { readOnly: false });
    database.exec('CREATE TABLE x (y); PRAGMA user_version = 1');
    database.close();
    const before = readFileSync(other);
    expect(() => SqliteJournal.read(other)).toThrow(/EBADMSG.*no journal/);
    expect(() => SqliteJournal.open(other)).toThrow(/EBADMSG.*no journal/);
    expect(readFileSync(other)).toEqual(before);
    const missing = path();
    expect(() => SqliteJournal.read(missing)).toThrow('EINVAL');
    expect(existsSync(missing)).toBe(false);
    expect(() => SqliteJournal.open('/nonexistent/journal')).toThrow(MemfileError);
  });

  it('that was opened to read is not written', async () => {
    const file = path();
    await SqliteJournal.open(file).close();
    const reader = SqliteJournal.read(file);
    expect(() => reader.append(leaving(1))).toThrow('EPERM');
    await reader.close();
  });
});

describe('a journal that cannot be written', () => {
  it('loses nothing acknowledged when the database is full', async () => {
    const file = path();
    const inner = defaultDriver();
    const driver: SqliteDriver = (where, options) => {
      const database = inner(where, options);
      if (!options.readOnly) database.exec('PRAGMA max_page_count = 16');
      return database;
    };
    const journal = SqliteJournal.open(file, { driver });
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const ram = memfile.createFile('shmem', { size: 64 });
    let acknowledged = 0;
    const failures: unknown[] = [];
    for (let page = 0; failures.length === 0 && page < 100_000; page++) {
      const pages = [page % 64, (page % 64) + 1] as const;
      const operation = page % 128 < 64 ? ram.fallocate(...pages) : ram.punchHole(...pages);
      const end = journal.position;
      await operation.then(
        () => (acknowledged = end),
        (error: unknown) => void failures.push(error),
      );
    }
    const [failed] = failures;
    expect(failed).toMatchObject({ code: 'EIO', effect: 'done' });
    expect(String(failed)).toMatch(/full/);
    expect(acknowledged).toBeGreaterThan(0);
    await expect(ram.fallocate(0, 1)).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
    await expect(journal.close()).rejects.toThrow('EIO');
    const reader = SqliteJournal.read(file);
    expect(reader.position).toBeGreaterThanOrEqual(acknowledged);
    expect(reader.findDamage()).toBeUndefined();
    await reader.close();
    // Once there is room, the journal goes on from there.
    const again = createMemfile({ plugins: [shmem()], journal: SqliteJournal.open(file) });
    const [same] = again.files;
    await same!.punchHole(0, 64);
    expect(again.state.position).toBeGreaterThan(acknowledged);
    await again[Symbol.asyncDispose]();
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'loses nothing acknowledged, and says so: statement %i fails',
    async (n) => {
      const file = path();
      const { driver, failAt } = failing();
      const journal = SqliteJournal.open(file, { driver });
      const memfile = createMemfile({ plugins: [shmem()], journal });
      const ram = memfile.createFile('shmem', { size: 64 });
      await ram.fallocate(0, 64);
      failAt(n);
      let acknowledged = 0;
      const failures: unknown[] = [];
      for (let i = 0; i < 8 && failures.length === 0; i++) {
        const punched = ram.punchHole(i, i + 1);
        const end = journal.position;
        await punched.then(
          () => (acknowledged = end),
          (error: unknown) => void failures.push(error),
        );
      }
      const [failed] = failures;
      expect(failed).toMatchObject({ code: 'EIO', effect: 'done' });
      expect(String(failed)).toContain('the disk is full');
      const { position } = journal;
      await expect(ram.fallocate(0, 1)).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
      expect(() => memfile.createFile('shmem', { size: 1 })).toThrow('EIO');
      expect(journal.position).toBe(position);
      await expect(journal.close()).rejects.toThrow('EIO');
      const reader = SqliteJournal.read(file);
      expect(reader.position).toBeGreaterThanOrEqual(acknowledged);
      expect(reader.findDamage()).toBeUndefined();
      expect([...reader.read(1)]).toHaveLength(reader.position);
      await reader.close();
    },
  );
});
