import { brand } from './copy.js';
import type { JournalEvent, Recorded } from './event.js';
import { refuseAbstract } from './same-copy.js';

/**
 * The append-only log that the state is folded from. A class, so that it serves as a dependency
 * injection token.
 */
export abstract class Journal {
  constructor() {
    refuseAbstract(Journal, new.target);
  }

  /** The position of the last event; the first event has position 1. */
  abstract readonly position: number;

  /**
   * Appends one event and answers its position. May throw when it cannot write: then nothing was
   * appended, and the framework refuses new operations.
   */
  abstract append(event: JournalEvent): number;

  /** The events at positions `[from, to)`, in order; `to` defaults to the end. */
  abstract read(from: number, to?: number): Iterable<Recorded>;

  /** The events from position `from`, then those to come, until the journal is closed. */
  abstract subscribe(from: number): AsyncIterable<Recorded>;

  abstract close(): Promise<void>;
}

brand(Journal);
