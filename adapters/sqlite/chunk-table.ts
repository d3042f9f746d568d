import { crc32 } from 'node:zlib';
import type { Checkpoint } from '../../core/index.js';
import { bytesOf, sealOf, textOf, type Blob, Chunk, type StoredChunk } from './chunk.js';
import { damaging } from './damage.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import { FORMAT, upcastFrom, type Format, type Upcast } from './format.js';

interface StoredCheckpoint {
  readonly position: number;
  readonly state: Blob;
  readonly checksum: number;
}

/** Damage can make one type of value another; what is asked for is what comes. */
const CHUNK = `
  SELECT first AS first, CAST(count AS INTEGER) AS count, CAST(format AS INTEGER) AS format,
    CAST(rows AS BLOB) AS rows, CAST(payloads AS BLOB) AS payloads,
    CAST(previous AS INTEGER) AS previous, CAST(checksum AS INTEGER) AS checksum,
    CAST(seal AS INTEGER) AS seal
  FROM events`;

/** The chunks and checkpoints of one database, read, and written within a transaction. */
export class ChunkTable {
  readonly #database: SqliteDatabase;
  #at: SqliteStatement | undefined;
  readonly #insert: SqliteStatement;
  readonly #merge: SqliteStatement;
  readonly #checkpoint: SqliteStatement;
  readonly #upcasts = new Map<number, Upcast>();
  #format: number | undefined;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.#merge = database.prepare('DELETE FROM events WHERE first >= ? AND first < ?');
    this.#checkpoint = database.prepare(
      `SELECT position AS position, CAST(state AS BLOB) AS state, CAST(checksum AS INTEGER) AS checksum
       FROM checkpoints WHERE position <= ? AND version = ? ORDER BY position DESC LIMIT 1`,
    );
  }

  /** The position of the oldest event, 1 when there is none. */
  get first(): number {
    return damaging(0, () => {
      const first = this.#edge('ASC')?.first ?? 1;
      // What retention forgets, a checkpoint stands for.
      const { last } = this.#database
        .prepare('SELECT coalesce(max(position), 0) AS last FROM checkpoints')
        .get() as { readonly last: number };
      if (last < first - 1) throw new Error('the beginning is missing');
      return first;
    });
  }

  /** The position after the last event, and the CRC-32 of all rows up to it. */
  get end(): { readonly position: number; readonly checksum: number } {
    return damaging(0, () => {
      const last = this.#edge('DESC');
      if (last === undefined) return { position: 1, checksum: 0 };
      return { position: last.first + last.count, checksum: last.checksum };
    });
  }

  /**
   * The chunk with the event at `position`, which is there.
   * @param before the chunk that was read before: it has to be the one that it follows.
   * @throws DamagedJournalError
   */
  at(position: number, before: Chunk): Chunk {
    return damaging(position - 1, () => {
      const stored = this.#stored(position);
      if (stored === undefined || position >= stored.first + stored.count) {
        throw new Error('events are missing');
      }
      const chunk = Chunk.read(stored, this.#upcast(stored.format));
      // A chunk that was merged since begins elsewhere, and is proof enough by itself.
      if (before.end === chunk.first && before.checksum !== chunk.previous) {
        throw new Error('events of another history');
      }
      return chunk;
    });
  }

  insert(written: Omit<StoredChunk, 'format' | 'seal'>): void {
    const chunk = { ...written, format: (this.#format ??= this.#ownFormat()) };
    const { first, count, format, previous, checksum } = chunk;
    const [rows, payloads] = [bytesOf(chunk.rows), bytesOf(chunk.payloads)];
    this.#insert.run(first, count, format, rows, payloads, previous, checksum, sealOf(chunk));
  }

  /** Takes out the chunks that begin in `[first, end)`, to put one in their place. */
  remove(first: number, end: number): void {
    this.#merge.run(first, end);
  }

  checkpoint(position: number, version: number): Checkpoint | undefined {
    const stored = this.#checkpoint.get(position, version) as StoredCheckpoint | undefined;
    if (stored === undefined) return undefined;
    // Whatever is wrong with one, an older one will do.
    if (crc32(bytesOf(stored.state)) === stored.checksum) {
      return { position: stored.position, version, state: textOf(stored.state) };
    }
    return this.checkpoint(stored.position - 1, version);
  }

  saveCheckpoint({ position, version, state }: Checkpoint): void {
    this.#database.prepare('DELETE FROM checkpoints WHERE version <> ?').run(version);
    this.#database
      .prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)')
      .run(position, version, Buffer.from(state), crc32(state));
  }

  /** Forgets the chunks that end at or before `position`, and the checkpoints before it. */
  forget(position: number): void {
    this.#database.prepare('DELETE FROM events WHERE first + count - 1 <= ?').run(position);
    this.#database.prepare('DELETE FROM checkpoints WHERE position < ?').run(position);
  }

  #stored(position: number): StoredChunk | undefined {
    const sql = `${CHUNK} WHERE first <= ? ORDER BY first DESC LIMIT 1`;
    const statement = (this.#at ??= this.#database.prepare(sql));
    this.#at = undefined; // With some libraries, one that has failed says the same ever after.
    const stored = statement.get(position) as StoredChunk | undefined;
    this.#at = statement;
    return stored;
  }

  /** The first or the last chunk. */
  #edge(order: 'ASC' | 'DESC'): StoredChunk | undefined {
    const statement = this.#database.prepare(`${CHUNK} ORDER BY first ${order} LIMIT 1`);
    const stored = statement.get() as StoredChunk | undefined;
    if (stored !== undefined && sealOf(stored) !== stored.seal) {
      throw new Error('a chunk that was never written');
    }
    return stored;
  }

  #upcast(id: number): Upcast {
    if (this.#upcasts.has(id)) return this.#upcasts.get(id);
    const stored = this.#database
      .prepare(
        `SELECT CAST(description AS BLOB) AS description, CAST(checksum AS INTEGER) AS checksum
         FROM formats WHERE id = ?`,
      )
      .get(id) as { readonly description: Blob; readonly checksum: number } | undefined;
    if (stored === undefined) throw new Error(`there is no format ${id}`);
    const { description, checksum } = stored;
    if (crc32(bytesOf(description)) !== checksum) throw new Error('a damaged format');
    const upcast = upcastFrom(JSON.parse(textOf(description)) as Format);
    this.#upcasts.set(id, upcast);
    return upcast;
  }

  /** The number of the format that this version writes, which is put down the first time. */
  #ownFormat(): number {
    const description = Buffer.from(JSON.stringify(FORMAT));
    const checksum = crc32(description);
    const known = this.#database
      .prepare('SELECT id FROM formats WHERE checksum = ?')
      .get(checksum) as { readonly id: number } | undefined;
    if (known !== undefined) return known.id;
    const { id } = this.#database
      .prepare('SELECT coalesce(max(id), 0) + 1 AS id FROM formats')
      .get() as { readonly id: number };
    const insert = this.#database.prepare('INSERT INTO formats VALUES (?, ?, ?)');
    insert.run(id, description, checksum);
    return id;
  }
}
