import type { DependencyContainer } from 'tsyringe';
import type { BackingStore } from './backing-store.js';
import { compose, FILES, STORES } from './container.js';
import { Engine } from './engine.js';
import { MemfileError, show } from './errno.js';
import { RECORD_LEVELS, type RecordLevel } from './event.js';
import type { Journal } from './journal.js';
import { MemoryJournal } from './memory-journal.js';
import type { FileOptions, MemoryFiles, StoreName, StoreOptions } from './memory-files.js';
import type { MemoryFile } from './memory-file.js';
import type { EventDefinition, OwnEvent, OwnEvents } from './own-events.js';
import { MicrotaskScheduler, SystemClock, type Clock, type Scheduler } from './ports.js';
import { recover, reopen } from './recovery.js';
import { checkPosition, replay } from './replay.js';
import { checkSameCopy } from './same-copy.js';
import { Scope, type Part } from './scope.js';
import type { StallReport } from './stall.js';
import type { MemfileState } from './state.js';
import { tearDown } from './teardown.js';
import { standsFor } from './waits-for.js';

export interface MemfileOptions<P extends readonly BackingStore[]> {
  /** The backing stores; their names and options are inferred from this list. */
  readonly plugins: P;
  /**
   * Where events are recorded; a new journal in memory by default. One that has events already is
   * gone on with: its files are there again, and what its last process left open is closed.
   */
  readonly journal?: Journal | undefined;
  /**
   * What is recorded: `state`, what it takes to know the pages (the default); `deliveries`, also
   * what every consumer was told and answered; `full`, that with times.
   */
  readonly record?: RecordLevel | undefined;
  readonly clock?: Clock | undefined;
  readonly scheduler?: Scheduler | undefined;
  /** After how many milliseconds a reader section that holds an operation up is reported. */
  readonly stallAfterMs?: number | undefined;
  readonly onStall?: ((report: StallReport) => void) | undefined;
  /** How long teardown waits for consumers before it evicts them; 5,000 ms by default. */
  readonly teardownDeadlineMs?: number | undefined;
}

/** Stores, files, consumers and their journal: one framework, one order of events. */
export class Memfile<P extends readonly BackingStore[] = readonly BackingStore[]> {
  /** The files that are open. */
  readonly files: MemoryFiles<P>;
  readonly journal: Journal;
  /** A container of its own: resolve parts from it, and register yours in it. */
  readonly container: DependencyContainer;
  readonly #engine: Engine;
  readonly #deadlineMs: number;
  readonly #scope: Scope;
  #teardown: Promise<void> | undefined;

  /** @internal */
  constructor(container: DependencyContainer, deadlineMs: number) {
    this.container = container;
    this.#engine = container.resolve(Engine);
    this.files = container.resolve(FILES) as MemoryFiles<P>;
    this.journal = this.#engine.journal;
    this.#deadlineMs = deadlineMs;
    for (const store of container.resolve(STORES)) store.attach?.(this);
    this.#scope = new Scope('memfile', container, deadlineMs);
  }

  /** What follows from the events so far; read it, do not change it. */
  get state(): MemfileState {
    return this.#engine.state;
  }

  /**
   * The events of a definition: what they have come to, also in what the journal had before, and how
   * to record more. Declare at the start: what is not declared is missing in checkpoints.
   * @throws MemfileError EEXIST when another definition has its name; ESTALE when the journal has
   * forgotten events of it; EOPNOTSUPP when a later version recorded some.
   */
  declare<Event extends OwnEvent, State>(
    definition: EventDefinition<Event, State>,
  ): OwnEvents<Event, State> {
    return this.#engine.declare(definition);
  }

  /** See {@link MemoryFiles.create}. */
  createFile<N extends StoreName<P>>(
    store: N,
    options: FileOptions & StoreOptions<P, N>,
  ): MemoryFile {
    return this.files.create(store, options);
  }

  /**
   * The state after the event at position `to`, folded anew from the journal; after the last event
   * by default. `replay()` equals `state` whenever no operation is taking a step.
   * @throws MemfileError EINVAL when the journal has no such position, ESTALE when it has forgotten
   * it.
   */
  replay(options: { readonly to?: number | undefined } = {}): MemfileState {
    const to = options?.to ?? this.journal.position;
    checkPosition(this.journal, to);
    return replay(this.journal, to, this.state.own.definitions);
  }

  /** The parts of the application that live as long as this memfile, and scopes within it. */
  get scope(): Scope {
    return this.#scope;
  }

  /** See {@link Scope.own}. */
  own<T extends Part>(part: T): T {
    return this.#scope.own(part);
  }

  /**
   * Takes everything down: child scopes and parts of the application, which may still use the
   * memfile, then consumers, files, stores, journal. Rejects with all that failed.
   */
  [Symbol.asyncDispose](): Promise<void> {
    const { files } = this;
    const stores = this.container.resolve(STORES);
    const everyFile = files as unknown as MemoryFiles;
    if (this.#teardown === undefined) {
      // Before anybody hears of it: whoever asks again from there gets this very promise.
      let settle!: (over: Promise<void>) => void;
      this.#teardown = standsFor(new Promise<void>((resolve) => (settle = resolve)), {
        *waitsFor() {
          for (const file of files) yield* file.openSections();
        },
        describe: () => 'teardown',
      });
      settle(tearDown(this.#engine, this.#scope, everyFile, stores, this.#deadlineMs));
    }
    return this.#teardown;
  }
}

/**
 * Composes a memfile.
 *
 * @example
 * const memfile = createMemfile({ plugins: [shmem()] });
 * const file = memfile.createFile('shmem', { size: 16 });
 *
 * @throws MemfileError EINVAL when two plugins have the same name, EBUSY when another memfile writes
 * the journal; for a journal with events, EOPNOTSUPP when a store of its files is missing, EIO when
 * it cannot be read or written.
 */
export function createMemfile<const P extends readonly BackingStore[]>(
  options: MemfileOptions<P>,
): Memfile<P> {
  checkMemfileOptions(options);
  const { stallAfterMs, onStall } = options;
  const stall =
    stallAfterMs !== undefined && onStall !== undefined ? { stallAfterMs, onStall } : undefined;
  const { journal, clock, scheduler } = options;
  for (const [what, part] of Object.entries({ journal, clock, scheduler })) {
    checkSameCopy('createMemfile', `the ${what}`, part);
  }
  for (const plugin of options.plugins) {
    checkSameCopy('createMemfile', `store "${plugin.name}"`, plugin);
  }
  const container = compose({
    plugins: options.plugins,
    journal: options.journal ?? new MemoryJournal(),
    clock: options.clock ?? new SystemClock(),
    scheduler: options.scheduler ?? new MicrotaskScheduler(),
    stall,
    record: options.record ?? 'state',
  });
  const engine = container.resolve(Engine);
  const stores = container.resolve(STORES);
  try {
    recover(engine, stores);
    const memfile = new Memfile<P>(container, options.teardownDeadlineMs ?? 5000);
    reopen(engine, stores, container.resolve(FILES));
    return memfile;
  } catch (error) {
    engine.letGo();
    throw error;
  }
}

function checkMemfileOptions(options: MemfileOptions<readonly BackingStore[]>): void {
  const refuse = (detail: string): never => {
    throw new MemfileError('EINVAL', 'createMemfile', detail);
  };
  if (!Array.isArray(options?.plugins)) refuse('needs { plugins: [...] }');
  for (const plugin of options.plugins as readonly (BackingStore | undefined)[]) {
    const store = typeof plugin?.name === 'string' && typeof plugin.createFile === 'function';
    if (!store) refuse(`${show(plugin)} is no backing store: it needs a name and createFile`);
  }
  for (const name of ['stallAfterMs', 'teardownDeadlineMs'] as const) {
    const ms = options[name];
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 0)) {
      refuse(`${name} must be a number of milliseconds, got ${show(ms)}`);
    }
  }
  if (options.record !== undefined && !RECORD_LEVELS.includes(options.record)) {
    refuse(`record must be one of ${RECORD_LEVELS.join(', ')}, got ${show(options.record)}`);
  }
  if (options.onStall !== undefined && typeof options.onStall !== 'function') {
    refuse(`onStall must be a function, got ${typeof options.onStall}`);
  }
}
