import { Journal, MemfileError, type JournalEvent, type Recorded } from '../../core/index.js';

/**
 * A journal that remembers where it is, and of its events those that are still to be written
 * somewhere: a trace of any length takes no more memory for it than one action.
 */
export class PassingJournal extends Journal {
  readonly #keeps: boolean;
  #events: JournalEvent[] = [];
  #position = 0;

  /** @param keeps whether somebody reads it; if not, it keeps nothing at all. */
  constructor(keeps: boolean) {
    super();
    this.#keeps = keeps;
  }

  get position(): number {
    return this.#position;
  }

  override get first(): number {
    return this.#position + 1 - this.#events.length;
  }

  append(event: JournalEvent): number {
    if (this.#keeps) this.#events.push(event);
    return ++this.#position;
  }

  override appendRow(
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): number {
    if (!this.#keeps) return ++this.#position;
    return super.appendRow(head, detail, operation, length, start, pfn);
  }

  *read(from: number, to: number = this.#position + 1): Iterable<Recorded> {
    const { first } = this;
    const end = Math.min(to, this.#position + 1);
    for (let position = Math.max(from, first); position < end; position++) {
      yield { ...this.#events[position - first]!, position };
    }
  }

  /** @throws MemfileError EOPNOTSUPP: events are gone before a subscriber would have them. */
  subscribe(): AsyncIterable<Recorded> {
    throw new MemfileError('EOPNOTSUPP', 'subscribe', 'this journal forgets its events');
  }

  /** All its events have been read. */
  forget(): void {
    if (this.#events.length > 0) this.#events = [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
