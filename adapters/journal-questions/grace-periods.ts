import {
  MemfileError,
  replay,
  type Journal,
  type NotifierCallback,
  type Recorded,
} from '../../core/index.js';

/** A consumer that did not answer at once. */
export interface Blocker {
  readonly consumer: string;
  readonly registration: number;
  /** How long it took; null when it has not answered. */
  readonly ms: number | null;
}

/** The time in which the consumers that were told of one event were at work with it. */
export interface GracePeriod {
  /** Of the event that they were told of. */
  readonly position: number;
  readonly callback: NotifierCallback;
  readonly file: number;
  readonly operation: number;
  /** Until the last of them answered; as far as the journal goes when one has not. */
  readonly ms: number;
  readonly over: boolean;
  /** The slowest first. */
  readonly blockers: readonly Blocker[];
}

interface Waiting {
  readonly callback: NotifierCallback;
  readonly file: number;
  readonly operation: number;
  readonly began: number;
  readonly answered: Map<number, number | null>;
  ended: number;
}

/**
 * The longest grace periods, the longest first, with who blocked them.
 * @param most how many of them.
 * @throws MemfileError EOPNOTSUPP when the journal has no times: it takes level 'full'.
 */
export function gracePeriods(journal: Journal, most = 10): GracePeriod[] {
  return new GraceBook(journal).longest(most);
}

class GraceBook {
  readonly #names = new Map<number, string>();
  /** By the position of the event that was told. */
  readonly #waiting = new Map<number, Waiting>();
  #periods: GracePeriod[] = [];
  #now: number | undefined;
  /** What it was before the last event of time, and where that stands. */
  #before: number | undefined;
  #ticked = 0;
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  longest(most: number): GracePeriod[] {
    const { first } = this.#journal;
    if (first > 1) {
      for (const { id, name } of replay(this.#journal, first - 1).registrations.values()) {
        this.#names.set(id, name);
      }
    }
    for (const event of this.#journal.read(first)) {
      this.#see(event);
      if (this.#periods.length > 2 * most + 1024) this.#keep(most);
    }
    this.#giveUp(this.#now);
    if (this.#now === undefined) {
      const why = 'the journal has no times; record it at level full';
      throw new MemfileError('EOPNOTSUPP', 'gracePeriods', why);
    }
    this.#keep(most);
    return this.#periods;
  }

  #see(event: Recorded): void {
    switch (event.type) {
      case 'time':
        this.#before = this.#now;
        this.#ticked = event.position;
        this.#now = event.ms;
        break;
      case 'register':
        this.#names.set(event.registration, event.name);
        break;
      case 'answer':
        if (event.outcome === 'waits') this.#waits(event);
        else this.#done(event.of, event.registration);
        break;
      case 'evict':
        for (const of of this.#waiting.keys()) this.#done(of, event.registration);
        break;
      case 'open':
        // Their process is no more, and the time said just before is that of the next one.
        this.#giveUp(event.position === this.#ticked + 1 ? this.#before : this.#now);
        break;
    }
  }

  #waits({ of, callback, file, operation, registration }: Recorded & { type: 'answer' }): void {
    let waiting = this.#waiting.get(of);
    if (waiting === undefined) {
      const began = this.#now ?? 0;
      waiting = { callback, file, operation, began, answered: new Map(), ended: began };
      this.#waiting.set(of, waiting);
    }
    waiting.answered.set(registration, null);
  }

  #done(of: number, registration: number): void {
    const waiting = this.#waiting.get(of);
    if (waiting === undefined || waiting.answered.get(registration) !== null) return;
    waiting.ended = this.#now ?? 0;
    waiting.answered.set(registration, waiting.ended - waiting.began);
    if ([...waiting.answered.values()].includes(null)) return;
    this.#waiting.delete(of);
    this.#close(of, waiting, true);
  }

  #giveUp(now: number | undefined): void {
    for (const [of, waiting] of this.#waiting) {
      waiting.ended = now ?? 0;
      this.#close(of, waiting, false);
    }
    this.#waiting.clear();
  }

  #close(position: number, waiting: Waiting, over: boolean): void {
    const { callback, file, operation, began, ended, answered } = waiting;
    const blockers = [...answered].map(([registration, ms]) => ({
      consumer: this.#names.get(registration) ?? `registration ${registration}`,
      registration,
      ms,
    }));
    blockers.sort((a, b) => (a.ms === b.ms ? 0 : (b.ms ?? Infinity) - (a.ms ?? Infinity)));
    const ms = ended - began;
    this.#periods.push({ position, callback, file, operation, ms, over, blockers });
  }

  #keep(most: number): void {
    this.#periods.sort((a, b) => b.ms - a.ms || a.position - b.position);
    this.#periods.length = Math.min(this.#periods.length, most);
  }
}
