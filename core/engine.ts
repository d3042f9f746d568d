import { MemfileError, messageOf, show } from './errno.js';
import { evolve, EVOLVE_VERSION } from './evolve.js';
import type { JournalEvent, Reason, RecordLevel, Witnessed } from './event.js';
import { codeOfReason, detailOf, fitsLease, fitsRow, headOf, ROW } from './event-row.js';
import type { Journal } from './journal.js';
import type { EventDefinition, OwnEvent, OwnEvents } from './own-events.js';
import type { PluginEvent } from './own-states.js';
import { OperationQueue } from './operation-queue.js';
import type { Operation } from './operation.js';
import type { Clock, Scheduler } from './ports.js';
import { Pass } from './pass.js';
import { plainCopy } from './plain-data.js';
import { checkPosition, replay } from './replay.js';
import { saveState } from './saved-state.js';
import type { MemfileState } from './state.js';
import { watchForStall, type StallOptions } from './stall.js';
import { Written } from './written.js';

/** At least so many events lie between two checkpoints, and more when those are large. */
const CHECKPOINT_EVERY = 8192;

/** An operation, as the journal knows it. */
interface Recording {
  readonly id: number;
  readonly syscall: string;
  /** Whether any event of it is in the journal. */
  recorded: boolean;
}

/** The rows of pages that come or go. */
type RangeRow = (typeof ROW)['fallocate' | 'invalidate' | 'invalidateEnd'];

/** What every memory file of one memfile shares: the state, its journal, and whose turn it is. */
export class Engine {
  readonly state: MemfileState;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly queue: OperationQueue;
  /** What tells consumers of one event after the other. */
  readonly telling = new Pass();
  /** Set when the framework is being torn down: nothing new starts. */
  closing = false;
  readonly level: RecordLevel;
  /** Whether consumers are witnessed in the journal. */
  readonly witnessed: boolean;
  readonly #timed: boolean;
  #time = -1;
  #nextCheckpoint: number;
  #journalError: unknown;
  #closed = false;

  constructor(
    journal: Journal,
    clock: Clock,
    scheduler: Scheduler,
    stall?: StallOptions,
    level: RecordLevel = 'state',
  ) {
    if (Written.has(journal)) {
      const why = 'another memfile writes this journal; give every memfile one of its own';
      throw new MemfileError('EBUSY', 'createMemfile', why);
    }
    this.state = replay(journal);
    Written.add(journal);
    this.#nextCheckpoint = journal.keepsCheckpoints
      ? this.state.position + CHECKPOINT_EVERY
      : Infinity;
    this.journal = journal;
    this.clock = clock;
    this.level = level;
    this.witnessed = level !== 'state';
    this.#timed = level === 'full';
    this.queue = new OperationQueue(
      scheduler,
      stall === undefined ? () => () => {} : watchForStall(clock, stall),
      () => this.#whenDurable(),
    );
  }

  /** Whatever the journal throws where it should answer a promise, that rejects with. */
  #whenDurable(): Promise<void> | undefined {
    try {
      return this.journal.whenDurable(this.state.position);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The pass that tells consumers now. */
  get pass(): Pass | undefined {
    return this.telling.isUnderWay ? this.telling : undefined;
  }

  /** Whether an operation that comes now runs at once, as far as it is not up to its file. */
  get isIdle(): boolean {
    return !this.queue.busy && !this.closing && this.#journalError === undefined;
  }

  /** Lets another memfile have the journal: this one could not be composed. */
  letGo(): void {
    Written.delete(this.journal);
  }

  /** Why the journal cannot be written any more; undefined while it can. */
  get journalError(): unknown {
    return this.#journalError;
  }

  /**
   * Records the first event of something; it does not happen when it cannot be recorded.
   * @throws MemfileError EIO when the journal cannot write.
   */
  begin(syscall: string, event: JournalEvent): number {
    this.#checkFirst(syscall);
    this.#append(event);
    this.checkJournal(syscall);
    evolve(this.state, event);
    return this.folded();
  }

  /**
   * Records what has to happen now that it has begun, even if the journal fails on the way. Nothing
   * is part of the story any more once the journal is closed.
   */
  record(event: JournalEvent): number {
    if (this.#closed) return this.state.position;
    this.#append(event);
    evolve(this.state, event);
    return this.folded();
  }

  /**
   * As `begin` or `record`, as it is the first event of its operation or not, of pages that come or
   * go: the numbers of a row. If it answers true, whoever calls lets `changes` fold it; and says that
   * it is `folded` in any case.
   */
  recordRow(
    of: Recording,
    type: RangeRow,
    file: number,
    reason: Reason,
    start: number,
    end: number,
    pfn: number,
  ): boolean {
    const length = end - start;
    if (!fitsRow(file, of.id, length)) {
      this.#recordLong(of, type, file, reason, start, end, pfn);
      return false;
    }
    const isFirst = !of.recorded;
    if (isFirst) this.#checkFirst(of.syscall);
    else if (this.#closed) return false;
    this.#appendRow(headOf(type, file), codeOfReason(reason), of.id, length, start, pfn);
    if (isFirst) this.#checkRecorded(of);
    this.state.position++;
    return true;
  }

  #recordLong(
    of: Recording,
    type: RangeRow,
    file: number,
    reason: Reason,
    start: number,
    end: number,
    pfn: number,
  ): void {
    const where = { file, operation: of.id, start, end, reason };
    const event: JournalEvent =
      type === ROW.fallocate
        ? { type: 'fallocate', ...where, pfn }
        : { type: type === ROW.invalidate ? 'invalidate' : 'invalidateEnd', ...where };
    this.recordOf(of, event);
  }

  /** Records an event of an operation: as `begin` when it is its first, as `record` otherwise. */
  recordOf(of: Recording, event: JournalEvent): number {
    if (of.recorded) return this.record(event);
    const position = this.begin(of.syscall, event);
    of.recorded = true;
    return position;
  }

  #checkRecorded(of: Recording): void {
    this.checkJournal(of.syscall);
    of.recorded = true;
  }

  /** As `recordRow`, of a lease that is looked up; throws as `begin`. */
  recordLookup(
    file: number,
    registration: number,
    order: number,
    offset: number,
    pfn: number,
  ): boolean {
    if (!fitsLease(file, registration, order)) {
      this.begin('lookup', { type: 'lookup', file, registration, offset, pfn, order });
      return false;
    }
    this.#checkFirst('lookup');
    this.#appendRow(headOf(ROW.lookup, file), detailOf(order, registration), 0, 0, offset, pfn);
    this.checkJournal('lookup');
    this.state.position++;
    return true;
  }

  /** As above, of one that is put: no failure of the journal stops that. */
  recordPut(
    file: number,
    registration: number,
    order: number,
    offset: number,
    pfn: number,
  ): boolean {
    if (!fitsLease(file, registration, order)) {
      this.record({ type: 'put', file, registration, offset, pfn, order });
      return false;
    }
    if (this.#closed) return false;
    this.#appendRow(headOf(ROW.put, file), detailOf(order, registration), 0, 0, offset, pfn);
    this.state.position++;
    return true;
  }

  #appendRow(
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): void {
    if (this.#journalError !== undefined) return;
    try {
      this.#expect(this.journal.appendRow(head, detail, operation, length, start, pfn));
    } catch (error) {
      this.#journalError = error;
    }
  }

  /** The event recorded last is part of the state; answers its position. */
  folded(): number {
    const { position } = this.state;
    if (position >= this.#nextCheckpoint) this.#saveCheckpoint();
    return position;
  }

  /** See `Memfile.declare`. */
  declare<Event extends OwnEvent, State>(
    definition: EventDefinition<Event, State>,
  ): OwnEvents<Event, State> {
    const { state, journal } = this;
    state.own.declare(definition, journal, state);
    return {
      get state() {
        return state.own.of(definition);
      },
      record: (event) => {
        const recorded = plainEvent(definition, event);
        state.own.foresee(recorded); // What it throws comes before.
        this.record(recorded);
      },
      at: (position) => {
        checkPosition(journal, position);
        return replay(journal, position, [definition]).own.of(definition);
      },
    };
  }

  /** The journal is closed; the state stays as it is. */
  close(): Promise<void> {
    this.#closed = true;
    return this.journal.close();
  }

  /** Records what a consumer was told or answered, and when, as far as that was asked for. */
  witness(event: Witnessed): void {
    if (!this.witnessed) return;
    if (event.type !== 'delivery') this.tick();
    this.record(event);
  }

  /** Records what time it is, if that was asked for and it has changed. */
  tick(): void {
    if (this.#timed && this.#journalError === undefined) this.#recordTime();
  }

  #recordTime(): void {
    const ms = this.clock.now();
    if (ms === this.#time) return;
    this.#time = ms;
    this.record({ type: 'time', ms });
  }

  /** @throws MemfileError EIO when the journal cannot be written any more. */
  checkJournal(syscall: string): void {
    if (this.#journalError !== undefined) throw this.#cannotWrite(syscall);
  }

  #cannotWrite(syscall: string): MemfileError {
    const why = `the journal cannot write: ${messageOf(this.#journalError)}`;
    return new MemfileError('EIO', syscall, why, { cause: this.#journalError });
  }

  /** Submits an operation and answers its promise, of what it finishes with. */
  submit<T>(operation: Operation, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) return aborted(operation, signal);
    this.start(operation, signal);
    return operation.promise() as Promise<T>;
  }

  start(operation: Operation, signal?: AbortSignal): void {
    this.pass?.started(operation);
    this.queue.submit(operation, signal);
  }

  /** Nobody depends on it, so a journal that cannot keep it says so when it has to write. */
  #saveCheckpoint(): void {
    const { position } = this.state;
    this.#nextCheckpoint = position + CHECKPOINT_EVERY;
    if (this.#journalError !== undefined) return;
    try {
      const state = saveState(this.state);
      const worth = Math.ceil(state.length / this.journal.checkpointRoom);
      this.#nextCheckpoint = position + Math.max(CHECKPOINT_EVERY, worth);
      this.journal.saveCheckpoint({ position, version: EVOLVE_VERSION, state });
    } catch (error) {
      this.#journalError = error;
    }
  }

  /** @throws MemfileError EBADF, EIO */
  #checkFirst(syscall: string): void {
    if (this.#closed) throw new MemfileError('EBADF', syscall, 'the journal is closed');
    this.tick();
    this.checkJournal(syscall);
  }

  /** Once it has failed nothing more is written. */
  #append(event: JournalEvent): void {
    if (this.#journalError !== undefined) return;
    try {
      this.#expect(this.journal.append(event));
    } catch (error) {
      this.#journalError = error;
    }
  }

  #expect(position: number): void {
    if (position !== this.state.position + 1) throw this.#odd(position);
  }

  #odd(position: number): Error {
    return new Error(`it answered position ${position} after ${this.state.position}`);
  }
}

function aborted({ syscall }: Operation, { reason: cause }: AbortSignal): Promise<never> {
  return Promise.reject(
    new MemfileError('EINTR', syscall, 'aborted before it began', { cause: cause as unknown }),
  );
}

/** As it stands in a journal: what replay will read is what counts live too. */
function plainEvent({ name, history }: EventDefinition, event: OwnEvent): PluginEvent {
  const refuse = (why: string): never => {
    throw new MemfileError('EINVAL', 'record', `an event of "${name}" ${why}`);
  };
  if (typeof event?.type !== 'string') refuse(`needs a type, got ${show(event)}`);
  let data: Readonly<Record<string, unknown>> = {};
  try {
    data = plainCopy(event, 'type');
  } catch (error) {
    refuse(`has to be plain data: ${messageOf(error)}`);
  }
  const { version } = history;
  const plain = { type: 'plugin', plugin: name, name: event.type, data } as const;
  return version === 1 ? plain : { ...plain, version };
}
