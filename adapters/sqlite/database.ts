import { existsSync, renameSync, rmSync } from 'node:fs';
import { MemfileError, messageOf } from '../../core/errno.js';
import type { Durability } from '../../core/index.js';
import { DamagedJournalError } from './damage.js';
import type { SqliteDatabase, SqliteDriver } from './driver.js';

/** 'memf': tells the file from other databases. */
const APPLICATION_ID = 0x6d656d66;
/** Of the tables below. */
const SCHEMA_VERSION = 1;

/** Text is kept as bytes: of a damaged file it may not be text any more, which not all libraries survive. */
const SCHEMA = `
  CREATE TABLE events (
    first INTEGER PRIMARY KEY, -- position of its first event
    count INTEGER NOT NULL,
    format INTEGER NOT NULL,
    rows BLOB NOT NULL,        -- 32 bytes an event
    payloads BLOB NOT NULL,    -- JSON: [row, text] of the events that are kept as text
    previous INTEGER NOT NULL, -- CRC-32 of all rows before
    checksum INTEGER NOT NULL, -- CRC-32 of all rows up to its last
    seal INTEGER NOT NULL      -- CRC-32 of everything else here
  );
  CREATE TABLE formats (id INTEGER PRIMARY KEY, description BLOB NOT NULL, checksum INTEGER NOT NULL);
  CREATE TABLE checkpoints (
    position INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    checksum INTEGER NOT NULL
  );
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

const SYNCHRONOUS = { disk: 'FULL', os: 'NORMAL', memory: 'OFF' } as const;

/** Makes the database of a journal, whole or not at all. The caller keeps other writers out. */
export function createDatabase(driver: SqliteDriver, path: string): void {
  if (existsSync(path)) return;
  const unborn = `${path}-new`;
  rmSync(unborn, { force: true });
  opened(driver, unborn, false, (database) => database.exec(SCHEMA)).close();
  renameSync(unborn, path);
}

/** Opens the database of a journal to write. */
export function openToWrite(
  driver: SqliteDriver,
  path: string,
  durability: Durability,
): SqliteDatabase {
  return opened(driver, path, false, (database) => {
    check(database, path); // Before anything is changed.
    const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() as {
      readonly journal_mode: string;
    };
    if (mode !== 'wal') throw new Error(`it cannot have a write-ahead log (${mode})`);
    database.exec(`PRAGMA synchronous = ${SYNCHRONOUS[durability]}`);
  });
}

/** Opens the database of a journal that may be written by another process meanwhile. */
export function openToRead(driver: SqliteDriver, path: string): SqliteDatabase {
  if (!existsSync(path)) throw new MemfileError('EINVAL', 'openJournal', `no file ${path}`);
  return opened(driver, path, true, () => {});
}

function opened(
  driver: SqliteDriver,
  path: string,
  readOnly: boolean,
  prepare: (database: SqliteDatabase) => void,
): SqliteDatabase {
  let database: SqliteDatabase | undefined;
  try {
    database = driver(path, { readOnly });
    prepare(database);
    check(database, path);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof MemfileError) throw error;
    if (isDamage(error)) throw new DamagedJournalError(0, 'cannot be opened', error);
    const why = `cannot open ${path}: ${messageOf(error)}`;
    throw new MemfileError('EIO', 'openJournal', why, { cause: error });
  }
}

function check(database: SqliteDatabase, path: string): void {
  const { application_id: id } = database.prepare('PRAGMA application_id').get() as {
    readonly application_id: number;
  };
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    readonly user_version: number;
  };
  if (id !== APPLICATION_ID) throw new DamagedJournalError(0, `${path} is no journal of memfile`);
  if (version > SCHEMA_VERSION) {
    const why = `${path} has schema ${version}, this version knows ${SCHEMA_VERSION}; update memfile`;
    throw new MemfileError('EOPNOTSUPP', 'openJournal', why);
  }
}

/** Whether SQLite itself found the file to be damaged, by any library's way of saying so. */
export function isDamage(error: unknown): boolean {
  return /malformed|not a database|corrupt|unsupported file format|disk I\/O error|no such (table|column)/i.test(
    messageOf(error),
  );
}
