import type { JournalEvent } from '../../core/index.js';

/** Events of one operation, by what they say of its range. */
interface OperationOutline {
  start: number;
  end: number;
  /** The size that it gave the file. */
  pages: number | undefined;
  arrives: boolean;
}

/** Who failed, and in which callback. */
type Failing = Extract<JournalEvent, { readonly type: 'failure' | 'answer' | 'delivery' }>;

/**
 * What a recording says of what is still to come: how far operations reach, who is asked before
 * pages arrive, who answers late, and who fails. Times are left out, so that a recording with times
 * and one without are the same.
 */
export class Script {
  readonly events: readonly JournalEvent[];
  readonly #operations = new Map<number, OperationOutline>();
  readonly #voters = new Set<number>();
  readonly #replayed = new Set<number>();
  readonly #evicted = new Map<number, number>();
  readonly #waits = new Set<string>();
  readonly #outlived = new Set<number>();
  readonly #failures = new Map<string, string>();

  constructor(events: Iterable<JournalEvent>) {
    const kept: JournalEvent[] = [];
    for (const event of events) if (event.type !== 'time') kept.push(event);
    this.events = kept;
    for (const [index, event] of kept.entries()) this.#read(index, event);
  }

  /** How far an operation reached, as far as that can be known. */
  outline(operation: number): OperationOutline {
    return this.#operations.get(operation)!;
  }

  votes(registration: number): boolean {
    return this.#voters.has(registration);
  }

  isReplayedTo(registration: number): boolean {
    return this.#replayed.has(registration);
  }

  /** Whether it leaves, by the event at `index`, because it is evicted. */
  isEvicted(registration: number, index: number): boolean {
    const at = this.#evicted.get(registration);
    if (at === undefined || at < index) return false;
    const between = this.events.slice(index, at);
    return between.every(({ type }) => type === 'left' || type === 'unregister');
  }

  /** Whether it was at work when it left. */
  outlives(registration: number): boolean {
    return this.#outlived.has(registration);
  }

  waits(operation: number, registration: number, callback: string): boolean {
    return this.#waits.has(`${operation} ${registration} ${callback}`);
  }

  /** What it failed with, or undefined when it did not. */
  failure(operation: number, registration: number, callback: string): string | undefined {
    return this.#failures.get(`${operation} ${registration} ${callback}`);
  }

  #read(index: number, event: JournalEvent): void {
    if ('operation' in event) this.#outline(event);
    if (event.type === 'delivery' && event.callback === 'prepare') {
      this.#voters.add(event.registration);
    }
    if (event.type === 'replay') this.#replayed.add(event.registration);
    if (event.type === 'evict') this.#evicted.set(event.registration, index);
    if (event.type === 'grace') this.#outlived.add(event.registration);
    if (event.type === 'answer') this.#waits.add(keyOf(event));
    if (event.type === 'failure') this.#failures.set(keyOf(event), event.message);
  }

  #outline(event: JournalEvent & { readonly operation: number }): void {
    const { operation } = event;
    const known = this.#operations.get(operation);
    const outline = known ?? { start: Infinity, end: 0, pages: undefined, arrives: false };
    if (known === undefined) this.#operations.set(operation, outline);
    if (event.type === 'resize') outline.pages = event.pages;
    if (event.type !== 'fallocate' && event.type !== 'prepare') return;
    outline.arrives = true;
    outline.start = Math.min(outline.start, event.start);
    outline.end = Math.max(outline.end, event.end);
  }
}

function keyOf({ operation, registration, callback }: Failing): string {
  return `${operation} ${registration} ${callback}`;
}
