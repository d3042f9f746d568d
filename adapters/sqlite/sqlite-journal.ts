import { brand } from '../../core/copy.js';
import {
  Journal,
  MemfileError,
  type Checkpoint,
  type Durability,
  type JournalEvent,
  type Piece,
  type Recorded,
  type SubscribeOptions,
} from '../../core/index.js';
import { piecesOf, Reading } from '../../core/reading.js';
import { Chunk } from './chunk.js';
import { ChunkTable } from './chunk-table.js';
import { DamagedJournalError, damaging } from './damage.js';
import { createDatabase, openToRead, openToWrite } from './database.js';
import { defaultDriver, type SqliteDatabase, type SqliteDriver } from './driver.js';
import { GroupCommit } from './group-commit.js';
import { lockWriters } from './lock.js';

export interface SqliteJournalOptions {
  /** SQLite; by default that of the runtime (node:sqlite), else the package libsql. */
  readonly driver?: SqliteDriver | undefined;
  /**
   * What an event has to reach before the operation that it ends resolves: `disk` (the default),
   * `os`, or `memory`. With `os` a crash of the machine may take the last events, with `memory` one
   * of the process too; what is left is whole in every case.
   */
  readonly durability?: Durability | undefined;
  /**
   * How many events an operation may be ahead of `durability` when it resolves; 0 by default. For
   * who asks `durable` what is safe and need not wait for the disk after every operation.
   */
  readonly lag?: number | undefined;
  /** Where the journal has to end, for who believes to know. */
  readonly expectedPosition?: number | undefined;
}

export interface SqliteReaderOptions {
  readonly driver?: SqliteDriver | undefined;
  /** Read as far as the journal is good, and have `damage` say what comes then. */
  readonly salvage?: boolean | undefined;
}

/** How often a reader looks whether another process has written more, in milliseconds. */
const POLL_MS = 20;

/**
 * A journal in a SQLite database. It has one writer at a time; others read and follow it meanwhile,
 * from other processes too.
 */
export class SqliteJournal extends Journal {
  readonly path: string;
  /** With `salvage`: why the journal cannot be read further; undefined when all of it can. */
  readonly damage: DamagedJournalError | undefined;
  readonly #database: SqliteDatabase;
  readonly #table: ChunkTable;
  /** Only who writes has these. */
  readonly #commit: GroupCommit | undefined;
  readonly #lock: SqliteDatabase | undefined;
  readonly #durability: Durability;
  readonly #lag: number;
  /** Asked for once by who writes: nobody else changes it. */
  #first: number | undefined;
  #closed = false;
  #awaiting: Array<() => void> = [];

  private constructor(
    path: string,
    database: SqliteDatabase,
    durability: Durability,
    lock?: SqliteDatabase,
    salvage = false,
    lag = 0,
  ) {
    super();
    this.path = path;
    this.#durability = durability;
    this.#lag = lag;
    this.#database = database;
    this.#table = damaging(0, () => new ChunkTable(database));
    this.#lock = lock;
    this.#commit = lock === undefined ? undefined : new GroupCommit(database, this.#table);
    this.damage = salvage ? this.findDamage() : undefined;
  }

  /**
   * Opens a journal to write, and creates it when there is none.
   * @throws MemfileError EBUSY when another process writes it; EINVAL when it does not end at
   * `expectedPosition`; EBADMSG when it is damaged; EIO when it cannot be opened; EOPNOTSUPP when
   * there is no SQLite or a later version wrote it.
   */
  static open(path: string, options: SqliteJournalOptions = {}): SqliteJournal {
    const { driver = defaultDriver(), durability = 'disk', lag = 0, expectedPosition } = options;
    const lock = lockWriters(driver, path);
    try {
      createDatabase(driver, path);
      const database = openToWrite(driver, path, durability);
      const journal = new SqliteJournal(path, database, durability, lock, false, lag);
      if (expectedPosition === undefined || expectedPosition === journal.position) return journal;
      const why = `${path} ends at position ${journal.position}, not at ${expectedPosition}`;
      database.close();
      throw new MemfileError('EINVAL', 'openJournal', why);
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /**
   * Opens a journal to read and to follow; nothing is changed, not even what a crash has left.
   * @throws MemfileError EINVAL when there is no such file, and as `open`.
   */
  static read(path: string, options: SqliteReaderOptions = {}): SqliteJournal {
    const { driver = defaultDriver(), salvage = false } = options;
    const database = openToRead(driver, path);
    return new SqliteJournal(path, database, 'disk', undefined, salvage);
  }

  override get durability(): Durability {
    return this.#durability;
  }

  get position(): number {
    return this.damage?.good ?? this.#commit?.position ?? this.#table.end.position - 1;
  }

  override get first(): number {
    if (this.damage?.good === 0) return 1;
    return this.#commit === undefined ? this.#table.first : (this.#first ??= this.#table.first);
  }

  override get durable(): number {
    if (this.#commit === undefined || this.#durability === 'memory') return this.position;
    return this.#commit.committed;
  }

  override whenDurable(position: number): Promise<void> | undefined {
    return position <= this.durable + this.#lag ? undefined : this.#commit?.pending;
  }

  append(event: JournalEvent): number {
    const commit = this.#writable();
    commit.segmentToFill().append(event);
    return this.#appended(commit);
  }

  override appendRow(
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): number {
    const commit = this.#writable();
    commit.segmentToFill().appendRow(head, detail, operation, length, start, pfn);
    return this.#appended(commit);
  }

  #writable(): GroupCommit {
    if (this.#closed) throw new MemfileError('EBADF', 'append', 'the journal is closed');
    if (this.#commit !== undefined) return this.#commit;
    throw new MemfileError('EPERM', 'append', 'the journal was opened to read');
  }

  #appended(commit: GroupCommit): number {
    commit.appended();
    if (this.#awaiting.length > 0) this.#wake();
    return commit.position;
  }

  /** @throws MemfileError EBADMSG, with the position up to which it is good, where it is damaged. */
  read(from: number, to: number = this.position + 1): Iterable<Recorded> {
    const end = Math.min(to, this.position + 1);
    return new Reading(Math.max(from, this.first), end, this.#inOrder());
  }

  /** @throws MemfileError EBADMSG as `read` does. */
  override pieces(from: number, to: number = this.position + 1): Iterable<Piece> {
    const end = Math.min(to, this.position + 1);
    return piecesOf(Math.max(from, this.first), end, this.#inOrder());
  }

  async *subscribe(from: number, { onCaughtUp }: SubscribeOptions = {}): AsyncIterable<Recorded> {
    let catchingUp = true;
    for (let next = Math.max(from, this.first); ;) {
      const end = this.position + 1;
      for (const event of this.read(next, end)) {
        yield event;
        next = event.position + 1;
      }
      if (next <= this.position) continue;
      if (catchingUp) onCaughtUp?.(next - 1);
      catchingUp = false;
      if (this.#closed) return;
      await this.#more();
    }
  }

  override get keepsCheckpoints(): boolean {
    return true;
  }

  /** As many as an event takes itself: so many more positions are found soon. */
  override get checkpointRoom(): number {
    return 32;
  }

  override saveCheckpoint(checkpoint: Checkpoint): void {
    this.#commit?.commit();
    this.#commit?.transaction(() => this.#table.saveCheckpoint(checkpoint));
  }

  override checkpoint(position: number, version: number): Checkpoint | undefined {
    return this.#table.checkpoint(Math.min(position, this.position), version);
  }

  /** As the contract says, in whole blobs: some events before the checkpoint may be left. */
  override truncate(before: number, version: number): number {
    const base = this.checkpoint(before - 1, version);
    if (base !== undefined) {
      this.#commit?.commit();
      this.#commit?.transaction(() => this.#table.forget(base.position));
      this.#first = undefined;
    }
    return this.first;
  }

  /** Reads everything, and compares it with its checksums; answers what is wrong, if anything is. */
  findDamage(): DamagedJournalError | undefined {
    try {
      let chunk = Chunk.none;
      const last = this.#end();
      for (let { first } = this.#table; first <= last; first = chunk.end) {
        chunk = this.#table.at(first, chunk);
      }
      return undefined;
    } catch (error) {
      if (error instanceof DamagedJournalError) return error;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#commit?.commit();
    this.#wake();
    const failure = this.#commit?.failure;
    try {
      // Not all libraries do that at the end: one file is easier to carry about than two.
      if (this.#lock !== undefined) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // What is in the log is as safe there.
    }
    try {
      this.#database.close();
    } finally {
      this.#lock?.close();
    }
    if (failure !== undefined) throw failure;
  }

  /** Where the event at a position is, for who asks in order. */
  #inOrder(): (position: number) => Piece {
    let chunk = Chunk.none;
    return (position) =>
      this.#commit?.segmentOf(position) ?? (chunk = this.#table.at(position, chunk));
  }

  /** The last position; when that cannot be found out, one that is never reached. */
  #end(): number {
    try {
      return this.#table.end.position - 1;
    } catch (error) {
      if (error instanceof DamagedJournalError) return Infinity;
      throw error;
    }
  }

  /** Resolves when there may be more events: told by `append`, or after a while. */
  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#awaiting.push(resolve);
      if (this.#commit === undefined) setTimeout(() => this.#wake(), POLL_MS);
    });
  }

  #wake(): void {
    for (const wake of this.#awaiting.splice(0)) wake();
  }
}

brand(SqliteJournal);
