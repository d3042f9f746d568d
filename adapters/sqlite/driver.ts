import { createRequire } from 'node:module';
import { MemfileError } from '../../core/index.js';

/**
 * What is needed of a SQLite library: a part of what `DatabaseSync` of node:sqlite, libsql and
 * better-sqlite3 have in common.
 */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): unknown;
  /** The first row, an object by column; undefined when there is none. */
  get(...values: readonly SqliteValue[]): unknown;
  all(...values: readonly SqliteValue[]): unknown[];
}

export type SqliteValue = number | string | Uint8Array;

/** Opens a database file; creates it unless it is opened to read only. */
export type SqliteDriver = (
  path: string,
  options: { readonly readOnly: boolean },
) => SqliteDatabase;

interface NodeSqlite {
  readonly DatabaseSync: new (
    path: string,
    options: { readonly readOnly: boolean },
  ) => SqliteDatabase;
}

type Libsql = new (path: string, options: { readonly readonly: boolean }) => SqliteDatabase;

/**
 * SQLite as the runtime has it, else the package libsql.
 * @throws MemfileError EOPNOTSUPP when there is neither.
 */
export function defaultDriver(): SqliteDriver {
  const builtin = process.getBuiltinModule?.('node:sqlite') as unknown as NodeSqlite | undefined;
  if (builtin !== undefined) {
    return (path, { readOnly }) => new builtin.DatabaseSync(path, { readOnly });
  }
  let Database: Libsql;
  try {
    Database = createRequire(import.meta.url)('libsql') as Libsql;
  } catch (cause) {
    const why = 'this Node.js has no SQLite: npm i libsql, or give the journal a driver';
    throw new MemfileError('EOPNOTSUPP', 'openJournal', why, { cause });
  }
  return (path, { readOnly }) => new Database(path, { readonly: readOnly });
}
