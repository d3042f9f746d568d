import { brand } from './copy.js';
import type { JournalEvent, Recorded } from './event.js';
import { eventOfRow } from './event-row.js';
import type { Piece } from './reading.js';
import { refuseAbstract } from './same-copy.js';

/**
 * How safe an event is: lost with the process, with the machine (the operating system has it), or
 * on disk.
 */
export type Durability = 'memory' | 'os' | 'disk';

/** The state after the event at `position`, saved so that nobody has to fold that far again. */
export interface Checkpoint {
  readonly position: number;
  /** The version of `evolve` that folded it. */
  readonly version: number;
  /** What `saveState` answered. */
  readonly state: string;
}

export interface SubscribeOptions {
  /** Called once, when everything up to `position` has been given and the rest is still to come. */
  readonly onCaughtUp?: ((position: number) => void) | undefined;
}

/**
 * The append-only log that the state is folded from. A class, so that it serves as a dependency
 * injection token. Positions are gapless; the first event has position 1.
 *
 * What is not abstract is how a journal behaves that keeps its events in memory and everything for
 * ever.
 */
export abstract class Journal {
  constructor() {
    refuseAbstract(Journal, new.target);
  }

  /** The position of the last event, 0 before the first. */
  abstract readonly position: number;

  /** The position of the oldest event that is still there. */
  get first(): number {
    return 1;
  }

  /** What an event has to reach before the operation that it ends resolves. */
  get durability(): Durability {
    return 'memory';
  }

  /** The last position that has reached `durability`. */
  get durable(): number {
    return this.position;
  }

  /**
   * Resolves when the event at `position` has reached `durability`; undefined when it has.
   * Rejects when the journal could not write it: then nothing after `durable` is kept.
   */
  whenDurable(_position: number): Promise<void> | undefined {
    return undefined;
  }

  /**
   * Appends one event and answers its position at once. May throw when it cannot write: then
   * nothing was appended, and the framework refuses new operations.
   */
  abstract append(event: JournalEvent): number;

  /**
   * What `append` does, of one of the frequent events in the numbers of its row (see
   * event-row.ts), so that no object is made of it. Whoever extends a journal and has an `append` of
   * their own need not have this: it calls that then. Who stands in for another journal, as a Proxy
   * does, has to stand in for both.
   */
  appendRow(
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): number {
    return this.append(eventOfRow(head, detail, operation, length, start, pfn));
  }

  /** The events at positions `[from, to)` that are still there, in order; `to` defaults to the end. */
  abstract read(from: number, to?: number): Iterable<Recorded>;

  /**
   * The events that `read` answers, in the pieces that they are kept in, for `replay` to fold: the
   * first and the last may have more. Undefined, as by default, when it is to `read` them.
   */
  pieces(_from: number, _to?: number): Iterable<Piece> | undefined {
    return undefined;
  }

  /** The events from position `from`, then those to come, until the journal is closed. */
  abstract subscribe(from: number, options?: SubscribeOptions): AsyncIterable<Recorded>;

  /** Whether it keeps checkpoints; nobody makes any for one that does not. */
  get keepsCheckpoints(): boolean {
    return false;
  }

  /** How many characters of checkpoints it has room for with every event; few, as memory is dear. */
  get checkpointRoom(): number {
    return 1;
  }

  /** Keeps a checkpoint; one of another version of `evolve` at any position may go. */
  saveCheckpoint(_checkpoint: Checkpoint): void {}

  /** The latest checkpoint of that version of `evolve` at or before `position`. */
  checkpoint(_position: number, _version: number): Checkpoint | undefined {
    return undefined;
  }

  /**
   * Retention: forgets the events up to the latest checkpoint before position `before`, and the
   * checkpoints before that one. Answers the position of the oldest event left.
   */
  truncate(_before: number, _version: number): number {
    return this.first;
  }

  /** Resolves when everything appended has reached `durability`, and nothing more can be appended. */
  abstract close(): Promise<void>;
}

brand(Journal);
