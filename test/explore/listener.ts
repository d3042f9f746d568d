import {
  MemfileError,
  type Lease,
  type MemfileState,
  type MemoryFile,
  type NotifierCallback,
  type NotifierEvent,
  type PageRange,
  type Registration,
} from '../../core/index.js';
import type { ConsumerWitness } from '../../adapters/witness.js';
import { PageSet } from '../model/page-set.js';
import type { LawModel } from '../model/index.js';

/** What a consumer needs of the stage that it is on. */
export interface ListenerHost {
  readonly model: LawModel;
  readonly notes: string[] | undefined;
  readonly state: MemfileState;
  gate(label: string): Promise<void>;
  breaks(law: number, detail: string): void;
}

/** What a consumer does in a callback; a promise is waited for. */
export type Reaction = (start: number, end: number, event: NotifierEvent) => unknown;

export interface ListenerOptions {
  readonly range?: PageRange;
  readonly replay?: boolean;
  readonly access?: 'shared' | 'private' | 'both';
  readonly signal?: AbortSignal;
  /** The callbacks that take their time: they are over when the schedule says so. */
  readonly slow?: readonly NotifierCallback[];
  readonly on?: Partial<Record<NotifierCallback, Reaction>>;
  /** The callbacks that it has; all but `prepare` and `rollback` by default. */
  readonly votes?: boolean;
}

/** A consumer of a program: hears, remembers, and can look pages up. */
export class Listener {
  readonly name: string;
  /** The pages that are there, by all it was told. */
  readonly pages = new PageSet();
  readonly #stage: ListenerHost;
  readonly #file: MemoryFile;
  readonly #options: ListenerOptions;
  readonly #witness: ConsumerWitness;
  /** What it was told to let go of, and has not yet. */
  readonly #lettingGo = new PageSet();
  readonly #heard: [NotifierCallback, number, number][] = [];
  readonly #leases: Lease[] = [];
  #registration: Registration | undefined;
  /** What it was told before it learnt of its snapshot: `register` resolves later than it acts. */
  #early: (() => void)[] | undefined;
  /** Its grace period is over: nothing of it may run. */
  #gone = false;

  constructor(stage: ListenerHost, file: MemoryFile, name: string, options: ListenerOptions) {
    this.name = name;
    this.#stage = stage;
    this.#file = file;
    this.#options = options;
    this.#witness = stage.model.consumer(name, file);
  }

  get registration(): Registration {
    return this.#registration!;
  }

  /** What it was told: 'invalidate [0, 2)'. */
  get heard(): string[] {
    return this.#heard.map(([type, start, end]) => said(type, start, end));
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Resolves when it is registered. */
  register(): Promise<this> {
    const { range, replay = false, votes = false, signal, access = 'both' } = this.#options;
    const told: Reaction = (start, end, event) => this.#told(start, end, event);
    const voting = votes ? told : undefined;
    const callbacks = {
      prepare: voting,
      fallocate: told,
      rollback: voting,
      invalidate: told,
      invalidateEnd: told,
      error: told,
    };
    const notifier = callbacks as Record<string, (...args: Parameters<Reaction>) => void>;
    const { name } = this;
    const registered = this.#file.register(notifier, { name, range, replay, signal, access });
    return registered.then((registration) => {
      this.#registration = registration;
      this.#witness.registered(registration);
      if (!replay) for (const { start, end } of registration.snapshot) this.pages.add(start, end);
      for (const told of this.#early ?? []) told();
      this.#early = undefined;
      return this;
    });
  }

  /** Unregisters; resolves when its grace period is over. */
  leave(): Promise<void> {
    const over = this.registration.unregister();
    this.#witness.left();
    void over.then(() => (this.#gone = true));
    return over;
  }

  /** Somebody else has had enough of it. */
  evict(): void {
    this.registration.evict();
    this.#witness.left();
  }

  /** The RxJS way: leaves, and waits for nothing. */
  unsubscribe(): void {
    this.registration.unsubscribe();
    this.#witness.left();
  }

  /** The frame of a page, or nothing for a hole; the lease is its to put. */
  lookup(page: number): Lease | undefined {
    try {
      const lease = this.registration.lookup(page);
      this.#witness.lookedUp(lease);
      this.#leases.push(lease);
      return lease;
    } catch (error) {
      if (error instanceof MemfileError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Looks a page up, if it can; puts it at once, or answers how to. */
  tryLookup(page: number, keep = false): (() => void) | undefined {
    const { active, range } = this.registration;
    if (!active || page < range.start || page >= range.end) return undefined;
    const lease = this.lookup(page);
    if (lease === undefined) return undefined;
    this.#leases.splice(this.#leases.indexOf(lease), 1);
    const put = (): void => {
      lease.put();
      this.#witness.put(lease);
    };
    if (keep) return put;
    put();
    return undefined;
  }

  /** Puts the leases that it has. */
  put(): void {
    for (const lease of this.#leases.splice(0)) {
      lease.put();
      this.#witness.put(lease);
    }
  }

  finish(): void {
    if (this.#registration?.active !== true || (this.#options.access ?? 'both') !== 'both') return;
    const { range } = this.#registration;
    const known = this.#known(range);
    const there = this.#usable(range);
    if (same(known, there)) return;
    this.#stage.breaks(5, `${this.name} knows of ${show(known)}, and there is ${show(there)}`);
  }

  /** What is there and has no error. */
  #usable({ start, end }: PageRange): readonly PageRange[] {
    const there = this.#file.populated(start, end);
    const { poisoned } = this.#stage.state.files.get(this.#file.id)!;
    if (poisoned.pages === 0) return there;
    const usable = new PageSet();
    for (const range of there) usable.add(range.start, range.end);
    for (const range of poisoned.ranges()) usable.remove(range.start, range.end);
    return usable.within(start, end);
  }

  #told(start: number, end: number, event: NotifierEvent): unknown {
    const { type } = event;
    if (this.#gone) {
      const what = said(type, start, end);
      this.#stage.breaks(6, `${this.name} is told ${what} after its grace period`);
    }
    this.#witness.told(event, start, end);
    this.#heard.push([type, start, end]);
    this.#stage.notes?.push(`${this.name} is told ${said(type, start, end)}`);
    if (this.#registration !== undefined) this.#follow(start, end, event);
    else (this.#early ??= []).push(() => this.#follow(start, end, event));
    if (type === 'invalidateEnd' && this.#lettingGo.touches(start, end)) {
      const what = said(type, start, end);
      this.#stage.breaks(4, `${this.name} is told ${what} before it has let go`);
    }
    let result: unknown;
    try {
      result = this.#options.on?.[type]?.(start, end, event);
    } catch (error) {
      if (type === 'prepare') this.#witness.refused?.(start, end);
      throw error;
    }
    if (type === 'prepare' && result instanceof Promise) {
      result.catch(() => this.#witness.refused?.(start, end));
    }
    if (this.#options.slow?.includes(type) === true) {
      result = this.#work(type, start, end, result);
    }
    if (type === 'invalidate' && result instanceof Promise) {
      this.#lettingGo.add(start, end);
      const letGo = (): void => this.#lettingGo.remove(start, end);
      result.then(letGo, letGo);
    }
    return result;
  }

  #work(type: NotifierCallback, start: number, end: number, result: unknown): Promise<unknown> {
    const read = this.#stage.notes !== undefined;
    const label = read ? `${this.name} is done with ${said(type, start, end)}` : '';
    return this.#stage.gate(label).then(() => {
      if (this.#gone) {
        const what = said(type, start, end);
        this.#stage.breaks(6, `${this.name} still works on ${what} after its grace period`);
      }
      return result;
    });
  }

  /** Keeps `pages` as it is told. */
  #follow(start: number, end: number, { type, kept = NONE }: NotifierEvent): void {
    if (type === 'fallocate') this.pages.add(start, end);
    if (type !== 'invalidateEnd') return;
    const stayed = kept.length === 0 ? NONE : kept.flatMap((range) => this.#known(range));
    this.pages.remove(start, end);
    for (const range of stayed) this.pages.add(range.start, range.end);
  }

  /** What of a range is there, by all it was told. */
  #known({ start, end }: PageRange): readonly PageRange[] {
    return this.pages.within(start, end);
  }
}

const NONE: readonly PageRange[] = [];

function said(type: NotifierCallback, start: number, end: number): string {
  return `${type} [${start}, ${end})`;
}

function same(a: readonly PageRange[], b: readonly PageRange[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ start, end }, i) => b[i]!.start === start && b[i]!.end === end)
  );
}

function show(ranges: readonly PageRange[]): string {
  return ranges.map(({ start, end }) => `[${start}, ${end})`).join(' ') || 'nothing';
}
