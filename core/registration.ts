import type { PfnRun, StoreFile } from './backing-store.js';
import type { Access, MappingBudget } from './capabilities.js';
import { registrationOf } from './changes.js';
import type { Engine } from './engine.js';
import { MemfileError, messageOf } from './errno.js';
import type { Lease, LeaseHome } from './lease.js';
import type { NotifiedFile, Notifier } from './notifier.js';
import type { NotifierList } from './notifier-list.js';
import { NotifierSubject } from './notifier-subject.js';
import type { PageRange } from './page-range.js';
import { overBudget } from './negotiation.js';
import type { Pass } from './pass.js';
import { recordPut, refusesBytes, takeLease } from './lookups.js';
import { Seat } from './seat.js';
import type { Section, SectionOwner } from './section.js';
import type { SrcuDomain } from './srcu.js';
import type { FileState, RegistrationState } from './state.js';
import type { ToldEvent } from './told-event.js';
import { clipRuns, usable } from './usable.js';
import { witnessAnswer, witnessDelivery, witnessGrace } from './witnessed.js';
import { DONE, standsFor, type WaitNode } from './waits-for.js';

/** An invalidation that has begun and not ended. */
export interface OpenWithdrawal extends PageRange {
  readonly operation: number;
  /** Consumers that have access to this side alone were not told. */
  readonly unless: Access | undefined;
}

/** What of the options of `register` stays with the registration. */
interface Declared {
  readonly access?: Access | undefined;
  readonly votes?: boolean | undefined;
  readonly budget?: MappingBudget | undefined;
}

/** What a registration needs of the memory file that it is on. */
export interface RegistrationHome {
  readonly engine: Engine;
  readonly file: NotifiedFile;
  readonly state: FileState;
  readonly store: StoreFile;
  readonly srcu: SrcuDomain;
  readonly notifiers: NotifierList<Registration>;
  /** The invalidations that have begun and not ended. */
  readonly open: readonly OpenWithdrawal[];
  readonly sections: Set<Section>;
}

/**
 * A consumer's place in the notifier list of a memory file.
 *
 * It is an RxJS `Subject` of {@link Notification}: callbacks given to `register` come first, then
 * observers that subscribed.
 */
export class Registration extends NotifierSubject implements SectionOwner, LeaseHome, WaitNode {
  readonly id: number;
  readonly name: string;
  readonly range: PageRange;
  /** The journal's position as of which `snapshot` holds; every later event is told. */
  readonly position: number;
  /** What of the range was there and could be used by it then. */
  readonly snapshot: readonly PageRange[];
  readonly access: Access;
  /** @internal */
  readonly seat: Seat<Registration>;
  /** @internal What the journal knows of it, after it has left too. */
  readonly recorded: RegistrationState;
  readonly #home: RegistrationHome;
  readonly #observersVote: boolean;
  /** @internal */
  readonly budget: MappingBudget | undefined;
  /** How many reader sections of it outlive their synchronous part. */
  #open = 0;
  #pass: Pass | undefined;
  #active = true;
  /** It left while sections of it were open. */
  #outlived = false;
  #closed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** @internal */
  constructor(
    home: RegistrationHome,
    id: number,
    name: string,
    range: PageRange,
    position: number,
    notifier: Notifier,
    { access = 'both', votes = false, budget }: Declared,
  ) {
    super();
    this.#home = home;
    this.id = id;
    this.name = name;
    this.range = range;
    this.position = position;
    this.access = access;
    const there = home.state.frames.ranges(range.start, range.end);
    this.snapshot = there.length === 0 ? NOTHING : usable(home.state, there, access);
    this.recorded = registrationOf(home.engine.state, id);
    this.seat = new Seat<Registration>(this, id, range, notifier);
    this.#observersVote = votes;
    this.budget = budget;
  }

  /** False once it has been unsubscribed, evicted, or its file closed: nothing more is told. */
  get active(): boolean {
    return this.#active;
  }

  /** How many reader sections of it are open. */
  get sections(): number {
    return this.#open + (this.#isTold() ? 1 : 0);
  }

  /** @internal Tells it what of pages `[start, end)` is its own, unless it has left. */
  tell(pass: Pass, from: number, to: number): void {
    if (!this.#active) return;
    const { event } = pass;
    const callback = this.seat.callback(event.type);
    const { observed } = this;
    const { engine, file } = this.#home;
    if (callback === undefined && !observed && !engine.witnessed) return;
    const { range } = this;
    const start = from > range.start ? from : range.start;
    const end = to < range.end ? to : range.end;
    if (engine.witnessed) witnessDelivery(engine, file.id, this, event, start, end);
    pass.enter(this, start, end);
    if (callback !== undefined && pass.concerns(this)) {
      try {
        const result = callback.call(this.seat.notifier, start, end, event);
        if (result !== undefined) pass.holdIfThenable(result);
      } catch (error) {
        pass.fail(error);
      }
    }
    if (observed || this.observed) this.#tellObservers(pass);
    pass.leave();
    this.wasTold();
  }

  /** @internal */
  wasTold(): void {
    if (!this.#active) this.#settleGrace();
  }

  #tellObservers(pass: Pass): void {
    const { type } = pass.event;
    if (!this.#observersVote && (type === 'prepare' || type === 'rollback')) return;
    this.#pass = pass;
    this.next(pass.notification());
    this.#pass = undefined;
  }

  /** Whether it is its turn in a pass now. */
  #isTold(): boolean {
    return this.#home.engine.pass?.isTelling(this) ?? false;
  }

  /** @internal Whether it is asked before pages arrive. */
  get votes(): boolean {
    const { prepare, rollback } = this.seat;
    const asked = prepare !== undefined || rollback !== undefined;
    return asked || this.#observersVote || this.budget !== undefined;
  }

  /** @internal Why it has no room for these frames; undefined when it has. */
  overBudget(runs: readonly PfnRun[]): MemfileError | undefined {
    return this.budget && overBudget('prepare', this.budget, clipRuns(runs, this.range));
  }

  /** @internal It does not agree to pages `[start, end)`, without being called. */
  refuse(event: ToldEvent, start: number, end: number, error: MemfileError): void {
    const { telling } = this.#home.engine;
    telling.begin(event);
    telling.enter(this, Math.max(start, this.range.start), Math.min(end, this.range.end));
    telling.fail(error);
    telling.leave();
    telling.end();
  }

  /**
   * Takes a lease of the page's frame. Between the begin and the end of an invalidation this is
   * still the old frame: check for a pending invalidation after looking up, as KVM does. The pages
   * of its order are of one side, and none is poisoned.
   * @throws MemfileError EINVAL for a page outside the range; EBADF after leaving; ENOENT for a
   * hole, or what the store says of it; EFAULT for a page of the other side; EHWPOISON for a
   * poisoned one; EIO when the store or the journal fails, and what the store throws.
   */
  lookup(offset: number): Lease {
    return takeLease(this.#home, this, offset);
  }

  /**
   * Stops delivery at once. Never waits and may be called anywhere; work of a callback that is
   * still going on behind a promise goes on, see `unregister`.
   */
  override unsubscribe(): void {
    if (!this.#active) return;
    this.#leave();
    super.unsubscribe();
  }

  /**
   * Stops delivery at once, and resolves when every reader section of this registration is over:
   * from then on none of its callbacks runs, asynchronous work included.
   */
  unregister(): Promise<void> {
    this.unsubscribe();
    return this.closed;
  }

  /** Resolves when it has left, however that came about, and its grace period is over. */
  get closed(): Promise<void> {
    this.#home.engine.pass?.started(this);
    if (this.#closed !== undefined) return this.#closed.promise;
    if (!this.#active && this.sections === 0) return DONE;
    let resolve!: () => void;
    const promise = new Promise<void>((settle) => (resolve = settle));
    this.#closed = { promise: standsFor(promise, this), resolve };
    return this.#closed.promise;
  }

  /** The constructor of `Subject` writes its own flag here; the promise stands in its place. */
  set closed(_flag: unknown) {}

  /**
   * Gives up on a consumer: it is unsubscribed, and operations that wait for its open sections go
   * on as if those had failed. `closed` still waits for what really runs.
   */
  evict(): void {
    const { engine, file } = this.#home;
    const wasActive = this.#active;
    this.unsubscribe();
    if (!wasActive && this.sections === 0) return;
    engine.tick();
    engine.record({ type: 'evict', file: file.id, registration: this.id });
    const why = new MemfileError('EIO', 'evict', `"${this.name}" was evicted`);
    // Amid its own callback it has a section too, even if nothing has held it open yet.
    if (engine.pass?.receiver === this) engine.pass.section();
    for (const section of this.waitsFor()) section.abandon(why);
  }

  /** Unregisters and waits for the grace period. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.unregister();
  }

  /** @internal Unsubscribes when the signal fires. */
  unsubscribeOn(signal: AbortSignal): void {
    const leave = (): void => this.unsubscribe();
    signal.addEventListener('abort', leave);
    void this.closed.then(() => signal.removeEventListener('abort', leave));
  }

  /** @internal The file is closed: observers complete, and nothing more is told. */
  fileClosed(): void {
    if (!this.#active) return;
    this.#leave();
    super.complete();
  }

  /** @internal */
  sectionOpened(section: Section): void {
    this.#open++;
    const { engine, file, sections } = this.#home;
    sections.add(section);
    if (engine.witnessed) witnessAnswer(engine, file.id, this, section, 'waits');
  }

  /** @internal */
  sectionClosed(section: Section): void {
    this.#open--;
    const { engine, file, sections } = this.#home;
    sections.delete(section);
    if (engine.witnessed) witnessAnswer(engine, file.id, this, section, 'done');
    if (!this.#active) this.#settleGrace();
  }

  /** @internal Leases outlive their registration, and hang on it. */
  leaseHolds({ offset, pfn, generation }: Lease): boolean {
    const { state, store } = this.#home;
    return state.frames.get(offset) === pfn && store.generation === generation;
  }

  /** @internal */
  leaseBytes({ offset, pfn, order }: Lease): Uint8Array {
    const { store } = this.#home;
    const refusal = refusesBytes(this.#home, offset, order);
    if (refusal !== undefined) throw refusal;
    return store.bytes!(pfn - (offset % 2 ** order), order);
  }

  /** @internal */
  leasePut(lease: Lease): void {
    const { engine, state, store } = this.#home;
    store.putUnlockPfn(lease.pfn);
    recordPut(engine, state.id, this, lease);
  }

  /** @internal The end of its grace period waits for its open sections. */
  waitsFor(): Section[] {
    if (this.#open === 0) return [];
    return [...this.#home.sections].filter(({ owner }) => owner === this);
  }

  /** @internal Whether its grace period is over. */
  get settled(): boolean {
    return !this.#active && this.sections === 0;
  }

  describe(): string {
    return `the end of the grace period of "${this.name}"`;
  }

  protected override get pass(): Pass | undefined {
    return this.#pass;
  }

  protected override observersChanged(): void {
    if (!this.#active) return;
    const { engine, notifiers } = this.#home;
    notifiers.changed(this.seat);
    engine.pass?.touch();
  }

  protected override get now(): number {
    return this.#home.engine.state.position;
  }

  protected override observerFailed(error: unknown): void {
    const { engine, file } = this.#home;
    engine.record({
      type: 'failure',
      file: file.id,
      operation: this.#pass?.event.operation.id ?? 0,
      registration: this.id,
      callback: 'observer',
      message: messageOf(error),
    });
  }

  #leave(): void {
    const { engine, file, notifiers, open } = this.#home;
    this.#active = false;
    notifiers.delete(this);
    engine.pass?.touch();
    const registration = this.id;
    for (const invalidation of open) {
      if (!this.#awaitsEnd(invalidation)) continue;
      const { operation } = invalidation;
      const start = Math.max(invalidation.start, this.range.start);
      const end = Math.min(invalidation.end, this.range.end);
      engine.record({ type: 'left', file: file.id, operation, registration, start, end });
    }
    engine.record({ type: 'unregister', file: file.id, registration });
    this.#outlived = this.sections > 0;
    this.#settleGrace();
  }

  /** Whether it was told of the begin and not yet of the end; who leaves gets none. */
  #awaitsEnd({ operation, start, end, unless }: OpenWithdrawal): boolean {
    if (start >= this.range.end || end <= this.range.start || this.access === unless) return false;
    const { pass } = this.#home.engine;
    const event = pass?.event;
    const reached = event?.operation.id === operation ? pass!.reached : undefined;
    if (reached === undefined) return true;
    // Begins are told the newest first, ends the oldest first.
    if (event!.type === 'invalidate') return this.id >= reached.id;
    return event!.type !== 'invalidateEnd' || this.id > reached.id;
  }

  #settleGrace(): void {
    if (this.sections > 0) return;
    if (this.#outlived) {
      this.#outlived = false;
      witnessGrace(this.#home.engine, this.#home.file.id, this);
    }
    this.#closed?.resolve();
  }
}

/** Whoever registers before there are pages needs no list of its own. */
const NOTHING: readonly PageRange[] = Object.freeze([]);
