/**
 * Events brought to a disk, and read back: a journal in a SQLite database beside one row an event
 * with the same library, with WAL and synchronous=FULL both, lmdb, and JSON lines. What is acknowledged is on
 * the disk with all of them.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { open as openLmdb } from 'lmdb';
import { defaultDriver, SqliteJournal } from '../../../dist/adapters/sqlite/index.js';
import { replay } from '../../../dist/core/index.js';
import { median } from '../harness.js';
import { created, eventsOf } from '../page-events.js';

const EVENTS = 200_000;
const ROUNDS = 3;
/** Kept, as a program would: an engine forgets how to deal with objects of which there are none. */
let state;
/** Each is read so often a round, as that is soon done. */
const READS = 3;

export default async function sqlite(suite) {
  // To collect between two candidates would have the engine forget code that did not run meanwhile.
  setFlagsFromString('--no-flush-bytecode');
  const events = eventsOf(EVENTS - 1);
  events.unshift(created);
  const times = { append: {}, replay: {} };
  const add = async (what, name, work) => {
    globalThis.gc?.();
    await pause(20); // Memory is given back beside it.
    const start = process.hrtime.bigint();
    await work();
    const each = Number(process.hrtime.bigint() - start) / EVENTS;
    ((times[what] ??= {})[name] ??= []).push(each);
  };
  const replays = async (name, work) => {
    for (let read = 0; read < READS; read++) await add('replay', name, work);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const folder = mkdtempSync(join(tmpdir(), 'memfile-bench-'));
    const path = (name) => join(folder, name);
    for (const [name, each] of [
      ['memfile', EVENTS],
      ['memfile, 1,000 a turn', 1000],
      ['memfile, 100 a turn', 100],
    ]) {
      const journal = SqliteJournal.open(path(name));
      await add('append', name, () => appendTo(journal, events, each));
      await journal.close();
    }
    for (const each of [100, 1000, 10_000]) {
      const rows = new Rows(path(`rows-${each}`));
      await add('append', `rows, transactions of ${each.toLocaleString('en')}`, () =>
        rows.append(events, each),
      );
      if (each === 100) await replays('rows', () => expected(rows.read()));
      rows.close();
    }
    const lmdb = openLmdb({ path: path('lmdb') });
    await add('append', 'lmdb, transactions of 100', () => appendToLmdb(lmdb, events));
    await replays('lmdb', () => expected(readLmdb(lmdb)));
    await lmdb.close();
    await add('append', 'JSON lines, synced every 100', () => appendLines(path('lines'), events));
    await replays('JSON lines', () => expected(readLines(path('lines'))));

    const reader = SqliteJournal.read(path('memfile'));
    await replays('memfile', () => expected(read(reader)));
    await replays('memfile, state folded', () => {
      state = replay(reader);
    });
    await reader.close();
    rmSync(folder, { recursive: true });
  }
  const own = (name) => !name.startsWith('memfile');
  for (const [what, candidates] of Object.entries(times)) {
    const names = Object.keys(candidates).sort((a, b) => own(a) - own(b));
    const title = what === 'append' ? 'append, on the disk, ns an event' : 'replay, ns an event';
    for (const name of names) suite.note(title, name, median(candidates[name]));
  }
}

async function appendTo(journal, events, aTurn) {
  for (let at = 0; at < events.length;) {
    for (const end = Math.min(at + aTurn, events.length); at < end; at++)
      journal.append(events[at]);
    await journal.whenDurable(journal.position);
    if (aTurn < events.length) await nextTurn();
  }
}

function read(journal) {
  let sum = 0;
  for (const event of journal.read(1)) sum += event.position;
  return sum;
}

/** One row an event: what one writes first. */
class Rows {
  #database;

  constructor(path) {
    this.#database = defaultDriver()(path, { readOnly: false });
    this.#database.prepare('PRAGMA journal_mode = WAL').get();
    this.#database.exec('PRAGMA synchronous = FULL');
    this.#database.exec(`
      CREATE TABLE events (
        position INTEGER PRIMARY KEY, type TEXT, file INTEGER, operation INTEGER,
        first INTEGER, last INTEGER, pfn INTEGER, reason TEXT
      )`);
  }

  append(events, aTransaction) {
    const insert = this.#database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    for (let at = 0; at < events.length;) {
      this.#database.exec('BEGIN');
      for (const end = Math.min(at + aTransaction, events.length); at < end; at++) {
        const {
          type,
          file,
          operation = 0,
          start = 0,
          end: last = 0,
          pfn = 0,
          reason = '',
        } = events[at];
        insert.run(at + 1, type, file, operation, start, last, pfn, reason);
      }
      this.#database.exec('COMMIT');
    }
  }

  read() {
    const all = this.#database.prepare('SELECT * FROM events ORDER BY position');
    let sum = 0;
    for (const row of all.iterate?.() ?? all.all()) sum += row.position;
    return sum;
  }

  close() {
    this.#database.close();
  }
}

async function appendToLmdb(lmdb, events) {
  for (let at = 0; at < events.length;) {
    lmdb.transactionSync(() => {
      for (const end = at + 100; at < end; at++) lmdb.put(at + 1, events[at]);
    });
  }
  await lmdb.flushed;
}

function readLmdb(lmdb) {
  let sum = 0;
  for (const { key, value } of lmdb.getRange()) sum += value.file * key;
  return sum;
}

function appendLines(path, events) {
  const file = openSync(path, 'w');
  for (let at = 0; at < events.length; at += 100) {
    const lines = events.slice(at, at + 100).map((event, i) => {
      return JSON.stringify({ ...event, position: at + i + 1 });
    });
    writeSync(file, `${lines.join('\n')}\n`);
    fdatasyncSync(file);
  }
  closeSync(file);
}

function readLines(path) {
  let sum = 0;
  for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
    sum += JSON.parse(line).position;
  }
  return sum;
}

/** Everything was read. */
function expected(sum) {
  if (sum !== (EVENTS * (EVENTS + 1)) / 2) throw new Error(`${sum} is not what was written`);
}
