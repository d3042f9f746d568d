import type { Lease, Memfile, NotifierEvent } from '../../core/index.js';
import type { ConsumerWitness, Witness, WitnessedFile } from '../witness.js';

/** A committed event (`consumer` null), or its delivery to one consumer; ranges in pages. */
export interface EventRow {
  readonly position: number;
  readonly type: string;
  readonly reason: string;
  readonly file: number;
  readonly consumer: string | null;
  readonly start: number;
  readonly end: number;
}

/**
 * Writes what happens in the order told: each committed event, then its deliveries. Passes on to
 * another witness everything that it sees.
 */
export class EventLog implements Witness {
  readonly #memfile: Memfile;
  readonly #write: (row: EventRow) => void;
  readonly #also: Witness;
  /** Positions below this one have been written. */
  #next = 1;
  /** An arrival is recorded as a row for every run of frames; they are one event. */
  #arrival: (EventRow & { readonly operation: number }) | undefined;

  constructor(memfile: Memfile, write: (row: EventRow) => void, also: Witness) {
    this.#memfile = memfile;
    this.#write = write;
    this.#also = also;
  }

  consumer(name: string, file: WitnessedFile): ConsumerWitness {
    const also = this.#also.consumer(name, file);
    const told = (event: NotifierEvent, start: number, end: number): void => {
      this.flush(event.position);
      const { position, type, reason } = event;
      this.#write({ position, type, reason, file: file.id, consumer: name, start, end });
      also.told(event, start, end);
    };
    return {
      told,
      registered: (place) => also.registered(place),
      refused: (start, end) => also.refused?.(start, end),
      lookedUp: (lease: Lease) => also.lookedUp(lease),
      put: (lease: Lease) => also.put(lease),
      left: () => also.left(),
    };
  }

  /** Writes the committed events up to position `to`, the last one by default. */
  flush(to: number = this.#memfile.journal.position): void {
    if (to < this.#next) return;
    for (const event of this.#memfile.journal.read(this.#next, to + 1)) {
      if (event.type === 'fallocate') {
        const { position, type, reason, file, operation, start, end } = event;
        const row = { position, type, reason, file, consumer: null, operation, start, end };
        const open = this.#arrival;
        if (open?.operation === operation && open.end === start) {
          this.#arrival = { ...row, start: open.start };
        } else {
          this.#endArrival();
          this.#arrival = row;
        }
      } else if (
        event.type === 'prepare' ||
        event.type === 'rollback' ||
        event.type === 'invalidate' ||
        event.type === 'invalidateEnd'
      ) {
        this.#endArrival();
        const { position, type, reason, file, start, end } = event;
        this.#write({ position, type, reason, file, consumer: null, start, end });
      }
    }
    this.#next = to + 1;
    this.#endArrival();
  }

  #endArrival(): void {
    if (this.#arrival === undefined) return;
    const { operation: _, ...row } = this.#arrival;
    this.#arrival = undefined;
    this.#write(row);
  }
}
