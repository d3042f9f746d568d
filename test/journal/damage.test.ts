import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createMemfile, type Recorded } from '../../core/index.js';
import { DamagedJournalError, SqliteJournal } from '../../adapters/sqlite/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { temporaryFiles } from './files.js';

// Child processes, disks, and machines that do other things too.
vi.setConfig({ testTimeout: 60_000 });

const SECTOR = 512;
/** Every how many sectors; set MEMFILE_EVERY=1 to damage all of them. */
const EVERY = Number(process.env['MEMFILE_EVERY'] ?? 5);
const path = temporaryFiles();

/** What a crash leaves: the database, a log that is not in it yet, and what both should hold. */
let original = '';
let copy = '';
let events: readonly string[] = [];

const PARTS = ['', '-wal'] as const;

beforeAll(async () => {
  original = path('original');
  copy = path('copy');
  const live = path('live');
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  // The first run is in the database, what the second commits is in the log.
  for (const operations of [400, 12]) {
    const journal = SqliteJournal.open(live, { durability: 'memory' });
    const memfile = createMemfile({ plugins: [shmem()], journal, record: 'deliveries' });
    const file = memfile.files.get(1) ?? memfile.createFile('shmem', { size: 64, name: 'ram' });
    await file.register({ name: 'vm', invalidate: () => {} });
    for (let i = 0; i < operations; i++) {
      await file.fallocate(i % 8, (i % 8) + 4);
      await file.punchHole(i % 16, (i % 16) + 2);
      if (operations < 100) await turn();
    }
    await turn();
    for (const part of PARTS) copyFileSync(live + part, original + part);
    events = [...journal.read(1)].map((event) => JSON.stringify(event));
    await journal.close();
  }
});
afterAll(() => rmSync(copy, { force: true }));

function sectors(part: string): number[] {
  const { length } = readFileSync(original + part);
  return Array.from({ length: Math.ceil(length / SECTOR / EVERY) }, (_, i) => i * EVERY * SECTOR);
}

/** Puts a copy of the original there, of which one part is changed. */
function damaged(part: string, change: (path: string) => void): void {
  for (const each of [...PARTS, '-shm']) rmSync(copy + each, { force: true });
  for (const each of PARTS) copyFileSync(original + each, copy + each);
  change(copy + part);
}

/** How far the copy can be read; throws when it holds what was never written. */
async function readable(): Promise<{ good: number; reported: boolean }> {
  let journal;
  try {
    journal = SqliteJournal.read(copy, { salvage: true });
  } catch (error) {
    if (error instanceof DamagedJournalError) return { good: error.good, reported: true };
    throw error;
  }
  const { damage, position } = journal;
  const found: Recorded[] = [...journal.read(1)];
  expect(found).toHaveLength(position);
  for (const [i, event] of found.entries()) {
    if (JSON.stringify(event) !== events[i]) expect(event).toEqual(JSON.parse(events[i]!));
  }
  await journal.close();
  return { good: position, reported: damage !== undefined };
}

describe('a journal that is damaged', () => {
  it('is whole as the crash has left it', async () => {
    damaged('', () => {});
    expect(await readable()).toEqual({ good: events.length, reported: false });
    expect(sectors('').length).toBeGreaterThan(100 / EVERY);
    expect(sectors('-wal').length).toBeGreaterThan(100 / EVERY);
    expect(sectors('').length + sectors('-wal').length).toBeLessThan(1000);
  });

  it.each(PARTS)('opens to what was written, or says so: a bit of %j flipped', async (part) => {
    const whole = readFileSync(original + part);
    let reported = 0;
    for (const sector of sectors(part)) {
      const at = Math.min(sector + (((sector / SECTOR) * 37) % SECTOR), whole.length - 1);
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ (1 << ((sector / SECTOR) % 8));
      damaged(part, (file) => writeFileSync(file, bytes));
      const outcome = await readable();
      if (outcome.reported) reported++;
    }
    if (part === '') expect(reported).toBeGreaterThan(20 / EVERY);
  });

  it.each(PARTS)('opens to what was written, or says so: %j cut short', async (part) => {
    for (const sector of sectors(part)) {
      damaged(part, (file) => truncateSync(file, sector));
      await readable();
    }
  });

  it.each(PARTS)('opens to what was written, or says so: a sector of %j lost', async (part) => {
    const whole = readFileSync(original + part);
    for (const sector of sectors(part)) {
      const bytes = Buffer.from(whole);
      bytes.fill(0, sector, Math.min(sector + SECTOR, bytes.length));
      damaged(part, (file) => writeFileSync(file, bytes));
      await readable();
    }
  });
});
