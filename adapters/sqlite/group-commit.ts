import { MemfileError, messageOf } from '../../core/errno.js';
import type { ChunkTable } from './chunk-table.js';
import type { SqliteDatabase } from './driver.js';
import { Segment } from './segment.js';

/** Events of one turn that are not left to wait for its end: 2 MiB of rows. */
const AT_ONCE = 65_536;

/**
 * What is appended in one turn of the event loop is committed at its end, in one transaction, which
 * is what a disk takes its time for. A commit of few events is a small chunk; when a segment is full
 * its small chunks become one.
 */
export class GroupCommit {
  /** The last position in the database. */
  committed: number;
  readonly #database: SqliteDatabase;
  readonly #table: ChunkTable;
  /** The segments with events that are not in the database, and always the last one. */
  readonly #segments: Segment[];
  #scheduled: NodeJS.Immediate | undefined;
  #failure: MemfileError | undefined;
  #batch: { readonly promise: Promise<void>; readonly settle: (error?: Error) => void } | undefined;

  constructor(database: SqliteDatabase, table: ChunkTable) {
    const { position: end, checksum } = table.end;
    this.#database = database;
    this.#table = table;
    this.#segments = [new Segment(end, checksum)];
    this.committed = end - 1;
  }

  /** The last position appended. */
  get position(): number {
    return this.#segments.at(-1)!.end - 1;
  }

  /** Why nothing more can be written. */
  get failure(): MemfileError | undefined {
    return this.#failure;
  }

  /**
   * The segment to append the next event to; say that it is `appended`.
   * @throws MemfileError EIO once nothing more can be written.
   */
  segmentToFill(): Segment {
    if (this.#failure !== undefined) throw this.#failure;
    const last = this.#segments.at(-1)!;
    if (!last.full) return last;
    // What goes before it is known when that is committed.
    const segment = new Segment(last.end, 0);
    this.#segments.push(segment);
    return segment;
  }

  appended(): void {
    this.#scheduled ??= setImmediate(() => this.commit());
    if (this.position - this.committed >= AT_ONCE) this.commit();
  }

  /** The segment in memory that has the event at `position`. */
  segmentOf(position: number): Segment | undefined {
    return this.#segments.find(({ first, end }) => first <= position && position < end);
  }

  /** Resolves when what is appended by now is committed; undefined when it is. */
  get pending(): Promise<void> | undefined {
    if (this.committed === this.position) return undefined;
    if (this.#batch === undefined) {
      let settle!: (error?: Error) => void;
      const promise = new Promise<void>((resolve, reject) => {
        settle = (error) => (error === undefined ? resolve() : reject(error));
      });
      promise.catch(() => {}); // Whoever waits for it hears of it.
      this.#batch = { promise, settle };
      if (this.#failure !== undefined) settle(this.#failure);
    }
    return this.#batch.promise;
  }

  /** Never throws: a failure is told by `pending` and by the next `append`. */
  commit(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#failure !== undefined || this.committed === this.position) return;
    try {
      this.transaction(() => this.#write());
      for (const segment of this.#segments) segment.committed = segment.count;
      this.#segments.splice(0, this.#segments.length - 1);
      this.committed = this.position;
    } catch {
      // Noted by the transaction.
    }
    this.#batch?.settle(this.#failure);
    if (this.#failure === undefined) this.#batch = undefined;
  }

  /**
   * Runs `write` in a transaction of its own. Once one has failed nothing more is written: what the
   * disk has of it is not known.
   * @throws MemfileError EIO
   */
  transaction(write: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      write();
      this.#database.exec('COMMIT');
    } catch (cause) {
      const why = `the journal cannot be written after position ${this.committed}`;
      this.#failure = new MemfileError('EIO', 'commit', `${why}: ${messageOf(cause)}`, { cause });
      this.#rollBack();
      throw this.#failure;
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself.
    }
  }

  #write(): void {
    let base = this.#segments[0]!.base;
    for (const segment of this.#segments) {
      segment.base = base;
      base = segment.write(this.#table);
    }
  }
}
