import {
  BackingStores,
  Journal,
  MemoryFiles,
  NotifierList,
  replay,
  Scheduler,
  SystemClock,
  type BackingStore,
  type JournalEvent,
  type MemfileState,
  type MemoryFile,
  type Recorded,
} from '../../core/index.js';
import { Engine } from '../../core/engine.js';
import { shmem } from '../../plugins/shmem/index.js';
import { LawModel } from '../model/index.js';
import { Listener, type ListenerOptions } from './listener.js';
import { describeEvent } from './describe-event.js';

/** A law, and how it was seen broken. */
export interface Broken {
  readonly law: number;
  readonly detail: string;
}

/** Something that may go on when the schedule says so. */
export interface Pending {
  readonly actor: number;
  readonly label: string;
  readonly go: () => void;
}

/** Nothing depends on what time it is. */
const CLOCK = new SystemClock();

/** Who is not a thread is numbered from here. */
const FIRST_ACTOR = 1000;

/**
 * What one schedule happens on: the real engine, with everything that it suspends at and every
 * consumer's own work in the hands of the schedule, and the independent model looking on.
 *
 * The engine is put together by hand: a container for every schedule costs as much as running it.
 */
export class Stage extends Scheduler {
  readonly model = new LawModel();
  readonly journal = new EventList();
  readonly broken: Broken[] = [];
  readonly pending: Pending[] = [];
  readonly listeners: Listener[] = [];
  /** Asked after every step. */
  readonly checks: (() => void)[] = [];
  /** Asked when everything is over. */
  readonly atEnd: (() => void)[] = [];
  /** What happened, for people; only kept when somebody wants to read it. */
  readonly notes: string[] | undefined;
  readonly #engine = new Engine(this.journal, CLOCK, this);
  readonly #files = new Map<BackingStore, MemoryFiles>();
  readonly #shmem: BackingStore;
  #actors = FIRST_ACTOR;
  /** Until the world is made, nothing waits for the schedule. */
  #made = false;

  constructor(reading = false) {
    super();
    this.#shmem = shmem();
    if (!reading) return;
    const notes: string[] = (this.notes = []);
    this.journal.onAppend = (event) => notes.push(describeEvent(event));
  }

  get state(): MemfileState {
    return this.#engine.state;
  }

  made(): void {
    this.#made = true;
  }

  /** A new memory file of `pages` pages. */
  file(name: string, pages: number, store: BackingStore = this.#shmem): MemoryFile {
    let files = this.#files.get(store);
    if (files === undefined) {
      files = new MemoryFiles(this.#engine, new BackingStores([store]), () => new NotifierList());
      this.#files.set(store, files);
    }
    return files.create(store.name, { size: pages, name });
  }

  /** A consumer that the model stands beside. */
  listen(file: MemoryFile, name: string, options: ListenerOptions = {}): Promise<Listener> {
    const listener = new Listener(this, file, name, options);
    this.listeners.push(listener);
    return listener.register();
  }

  /** The core asks when it may go on. */
  schedule(label: string): Promise<void> {
    return this.gate(label);
  }

  /** Resolves when the schedule says so. */
  gate(label: string): Promise<void> {
    if (!this.#made) return Promise.resolve();
    return new Promise((go) => this.pending.push({ actor: this.#actors++, label, go }));
  }

  /** Whoever is suspended there may go on. */
  resume(index: number): Pending {
    const { pending } = this;
    const chosen = pending[index]!;
    for (let i = index + 1; i < pending.length; i++) pending[i - 1] = pending[i]!;
    pending.pop();
    return chosen;
  }

  note(text: string): void {
    this.notes?.push(text);
  }

  /** Reports that a law is broken. */
  breaks(law: number, detail: string): void {
    this.broken.push({ law, detail });
  }

  /** What is broken so far, in the order found. */
  get found(): Broken | undefined {
    return this.broken[0] ?? this.model.violations[0];
  }

  /** Everything is over: nothing may be open, and everybody has to know what is there. */
  finish(): void {
    this.model.finish();
    for (const listener of this.listeners) listener.finish();
    for (const check of this.atEnd) check();
  }

  /** The journal tells the whole story. */
  checkReplay(): void {
    const live = JSON.stringify(this.state);
    const folded = JSON.stringify(replay(this.journal, this.journal.position));
    if (live !== folded) this.breaks(10, `the journal folds to ${folded}, and it is ${live}`);
  }
}

/** A journal that is a list: made anew some 50,000 times a second. */
class EventList extends Journal {
  readonly events: JournalEvent[] = [];
  onAppend: ((event: JournalEvent) => void) | undefined;

  get position(): number {
    return this.events.length;
  }

  append(event: JournalEvent): number {
    this.onAppend?.(event);
    return this.events.push(event);
  }

  read(from: number, to = Infinity): Recorded[] {
    const first = Math.max(from, 1);
    const events = this.events.slice(first - 1, to - 1);
    return events.map((event, i) => ({ ...event, position: first + i }));
  }

  async *subscribe(from: number): AsyncIterable<Recorded> {
    yield* this.read(from);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
