import type { MemfileState, Recorded } from '../../core/index.js';

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

type Arrival = EventRow & { readonly operation: number };

/** Makes rows of the events of a journal: what happened to pages, and who was told. */
export class EventRows {
  /** By registration. */
  readonly #names = new Map<number, string>();
  /** An arrival is recorded as an event for every run of frames; it is one row. */
  #arrival: Arrival | undefined;

  /** @param before the state before the first event, if that has position > 1. */
  constructor(before?: MemfileState) {
    for (const { id, name } of before?.registrations.values() ?? []) this.#names.set(id, name);
  }

  /** The rows that are complete now. */
  *next(event: Recorded): Iterable<EventRow> {
    if (event.type === 'register') this.#names.set(event.registration, event.name);
    if (event.type === 'fallocate') {
      const { position, type, reason, file, operation, start, end } = event;
      const open = this.#arrival;
      const row = { position, type, reason, file, consumer: null, operation, start, end };
      if (open?.operation === operation && open.end === start) {
        this.#arrival = { ...row, start: open.start };
        return;
      }
      yield* this.end();
      this.#arrival = row;
      return;
    }
    if (
      event.type === 'prepare' ||
      event.type === 'rollback' ||
      event.type === 'invalidate' ||
      event.type === 'invalidateEnd'
    ) {
      yield* this.end();
      const { position, type, reason, file, start, end } = event;
      yield { position, type, reason, file, consumer: null, start, end };
    } else if (event.type === 'delivery') {
      yield* this.end();
      const { of: position, callback: type, reason, file, registration, start, end } = event;
      const consumer = this.#names.get(registration) ?? `registration ${registration}`;
      yield { position, type, reason, file, consumer, start, end };
    }
  }

  /** No event follows, for now. */
  *end(): Iterable<EventRow> {
    const arrival = this.#arrival;
    if (arrival === undefined) return;
    this.#arrival = undefined;
    const { operation: _, ...row } = arrival;
    yield row;
  }
}
