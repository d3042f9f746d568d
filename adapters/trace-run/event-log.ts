import type { Journal, Lease, Memfile, NotifierEvent } from '../../core/index.js';
import { EventRows, type EventRow } from '../journal-log/index.js';
import type { ConsumerWitness, Witness, WitnessedFile } from '../witness.js';

/**
 * Writes what happens in the order told: each committed event, then its deliveries. Passes on to
 * another witness everything that it sees.
 */
export class EventLog implements Witness {
  readonly #memfile: Memfile;
  readonly #write: (row: EventRow) => void;
  readonly #also: Witness;
  readonly #rows = new EventRows();
  /** Positions below this one have been written. */
  #next: number;
  /** Why a row could not be written. */
  #failure: { readonly error: unknown } | undefined;

  constructor(memfile: Memfile, write: (row: EventRow) => void, also: Witness) {
    this.#memfile = memfile;
    this.#write = write;
    this.#also = also;
    this.#next = memfile.journal.position + 1;
  }

  consumer(name: string, file: WitnessedFile): ConsumerWitness {
    const also = this.#also.consumer(name, file);
    const told = (event: NotifierEvent, start: number, end: number): void => {
      this.#catchUp(this.#memfile.journal, event.position);
      const { position, type, reason } = event;
      this.#row({ position, type, reason, file: file.id, consumer: name, start, end });
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

  /** Writes the committed events that have not been written; throws what writing threw. */
  flush(journal: Journal = this.#memfile.journal): void {
    this.#catchUp(journal, journal.position);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #catchUp(journal: Journal, to: number): void {
    if (to < this.#next) return;
    for (const event of journal.read(this.#next, to + 1)) {
      if (event.type === 'delivery') continue; // Written when it is told.
      for (const row of this.#rows.next(event)) this.#row(row);
    }
    this.#next = to + 1;
    for (const row of this.#rows.end()) this.#row(row);
  }

  /** A file that cannot be written is not the failure of the consumer that is being told. */
  #row(row: EventRow): void {
    if (this.#failure !== undefined) return;
    try {
      this.#write(row);
    } catch (error) {
      this.#failure = { error };
    }
  }
}
