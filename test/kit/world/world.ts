import {
  createMemfile,
  MemfileError,
  type BackingStore,
  type Lease,
  type Memfile,
  type MemoryFile,
  type Notification,
  type NotifierEvent,
  type PageRange,
  type Registration,
  type Side,
  type StateSnapshot,
  type StoreHost,
} from '../../../core/index.js';
import { LawModel } from '../../model/index.js';
import { Conversions } from './conversions.js';
import { faulty, type NextFault } from './faulty-store.js';
import type { FrameLedger } from '../stores/frame-ledger.js';
import type { Finding } from '../finding.js';
import { LetGo } from './let-go.js';
import { ManualScheduler } from '../tools/manual-scheduler.js';
import { FILES, PAGES, type Step } from './program.js';
import { OpenWork } from './open-work.js';
import { settle, take } from '../small.js';
import { VirtualClock } from '../tools/virtual-clock.js';
import { optionsOf, SECOND, type WorldOptions } from './world-options.js';
import { WatchedStore } from '../stores/watched-store.js';
import { Consumer, type Call, type Delivery, type SubmittedOperation } from './world-consumer.js';

type Registering = Omit<Extract<Step, { readonly do: 'register' }>, 'do'>;

const PROBE = { observer: false, votes: false, replay: false, access: 'both', budget: 0 } as const;

/** Runs one random program, and keeps what an oracle needs to judge it. */
export class World {
  readonly model = new LawModel();
  readonly store: WatchedStore;
  /** What the store does wrong the next time that it can. */
  readonly nextFault: NextFault = { fault: undefined };
  readonly scheduler = new ManualScheduler();
  readonly clock = new VirtualClock();
  readonly memfile: Memfile;
  readonly files: MemoryFile[] = [];
  /** The first consumer of each file: told everything, and always well behaved. */
  readonly probes: Consumer[] = [];
  readonly consumers: Consumer[] = [];
  readonly operations: SubmittedOperation[] = [];
  readonly deliveries: Delivery[] = [];
  /** What was seen to be wrong while it ran, by law. */
  readonly broken: Finding[] = [];
  readonly leases: { readonly consumer: Consumer; readonly lease: Lease }[] = [];
  /** The state after every step, by position. */
  readonly states = new Map<number, StateSnapshot>();
  readonly conversions: Conversions;
  step = 0;
  readonly work = new OpenWork();
  readonly #letGo = new LetGo();
  #calling: Consumer | undefined;
  readonly #options: WorldOptions;

  constructor(store: BackingStore, options: WorldOptions = {}) {
    this.#options = options;
    this.store = new WatchedStore(store, options.contents);
    this.conversions = new Conversions(this.ledger, this.consumers, this.leases);
    this.store.onConvert = (file, start, end, to) => this.#converting(file, { start, end }, to);
    this.memfile = createMemfile({
      plugins: [faulty(this.store.store, this.nextFault)],
      journal: options.journal,
      record: options.record,
      scheduler: this.scheduler,
      clock: this.clock,
      ...(options.onStall && { stallAfterMs: SECOND, onStall: options.onStall }),
    });
  }

  /** How many pages its files have in the beginning. */
  get pages(): number {
    return this.#options.pages ?? PAGES;
  }

  get ledger(): FrameLedger {
    return this.store.ledger;
  }

  async start(): Promise<void> {
    for (let i = 0; i < FILES; i++) {
      const named = { size: this.pages, name: `file ${i + 1}` };
      const options = { ...optionsOf(this.#options.fileOptions, i), ...named };
      this.files.push(this.memfile.createFile(this.store.store.name, options));
      this.register({ file: i, start: 0, pages: 0, behaviours: ['ok'], ...PROBE });
      await settle();
      this.probes.push(this.consumers.at(-1)!);
    }
  }

  pending(): SubmittedOperation[] {
    return this.operations.filter(({ outcome }) => outcome === 'pending');
  }

  /** Takes pages away: the caller's way, or the store's own if callers may not. */
  punch(file: number, { start, end }: PageRange): void {
    const byCaller = this.store.store.capabilities?.punchHole !== false;
    this.submit('punch', file, { start, end }, (signal) =>
      byCaller
        ? this.files[file]!.punchHole(start, end, { signal })
        : this.hostOf(file).invalidate({ start, end }, 'punch'),
    );
  }

  hostOf(file: number): StoreHost {
    return this.store.hosts.get(this.files[file]!.id)!;
  }

  submit(
    kind: SubmittedOperation['kind'],
    file: number,
    range: PageRange,
    start: (signal: AbortSignal) => Promise<unknown>,
  ): SubmittedOperation {
    const operation = this.#submitted(kind, file, range);
    start(operation.abort.signal).then(
      () => (operation.outcome = 'done'),
      (error: unknown) => {
        if (!(error instanceof MemfileError))
          this.#breaks(11, `${kind} rejects with ${String(error)}`);
        operation.outcome = error as MemfileError;
      },
    );
    return operation;
  }

  #submitted(kind: SubmittedOperation['kind'], file: number, range: PageRange): SubmittedOperation {
    const operation: SubmittedOperation = {
      kind,
      file,
      range,
      widest: this.widest(file, range),
      abort: new AbortController(),
      nested: this.#calling !== undefined,
      outcome: 'pending',
    };
    this.operations.push(operation);
    return operation;
  }

  register(asked: Registering): void {
    const { file, start, pages, behaviours, observer, votes, replay, access, budget } = asked;
    const target = this.files[file]!;
    const range = pages === 0 ? { start: 0, end: 2 ** 51 } : { start, end: start + pages };
    const name = `consumer ${this.consumers.length}`;
    const witness = this.model.consumer(name, target);
    const consumer = new Consumer(name, target, range, behaviours, witness, access, budget);
    consumer.votes = votes || budget > 0;
    this.consumers.push(consumer);
    const call = (from: number, to: number, event: NotifierEvent): void | Promise<void> =>
      this.#called(consumer, from, to, event);
    if (observer) {
      this.#observe(consumer, votes, call);
      return;
    }
    const told = { fallocate: call, invalidate: call, invalidateEnd: call, error: call };
    // Who has a budget has to know what was promised to it.
    const notifier = votes || budget > 0 ? { ...told, prepare: call, rollback: call } : told;
    const options = { range, name, replay, access, budget: consumer.budget };
    consumer.operation = this.submit('register', file, range, (signal) =>
      target.register(notifier, { ...options, signal }).then(
        (registration) => {
          consumer.registration = registration;
          consumer.placed(registration);
          witness.registered(registration);
          // It may have been told of its own eviction or leaving before it learnt of its place.
          if (!registration.active) this.#left(consumer);
        },
        (error: unknown) => {
          this.#left(consumer);
          throw error;
        },
      ),
    );
  }

  /** The consumer is an RxJS observer of `notifications$`. */
  #observe(
    consumer: Consumer,
    votes: boolean,
    call: (start: number, end: number, event: NotifierEvent) => void | Promise<void>,
  ): void {
    const { file, range, name, witness } = consumer;
    const operation = this.#submitted('register', this.files.indexOf(file), range);
    consumer.operation = operation;
    const next = (told: Notification): void | Promise<void> => {
      if (told.type === 'snapshot') {
        const { ranges: snapshot, position } = told;
        operation.outcome = 'done';
        consumer.placed({ position, snapshot });
        witness.registered({ range, snapshot, position, access: consumer.access });
        return undefined;
      }
      return call(told.start, told.end, { ...told, file });
    };
    const { access, budget } = consumer;
    const options = { range, name, access, budget, votes: votes || budget !== undefined };
    consumer.subscription = file
      .notifications$({ ...options, signal: operation.abort.signal })
      .subscribe({ next, error: (error) => (operation.outcome = error as MemfileError) });
  }

  /** Cancels what is queued; a registration that has its place leaves it. */
  abort(operation: SubmittedOperation | undefined): void {
    operation?.abort.abort();
    const consumer = this.consumers.find((one) => one.operation === operation);
    if (consumer === undefined) return;
    if (consumer.subscription !== undefined && operation?.outcome === 'pending') {
      operation.outcome = 'done';
    }
    if (consumer.place !== undefined) this.#left(consumer);
    // Amid its replay it leaves now, and learns of its place later.
    else consumer.leftAt = this.deliveries.length;
  }

  dismiss(how: 'unsubscribe' | 'unregister' | 'evict', consumer: Consumer | undefined): void {
    if (consumer?.subscription !== undefined) {
      consumer.subscription.unsubscribe();
      if (consumer.operation?.outcome === 'pending') consumer.operation.outcome = 'done';
      this.#left(consumer);
      return;
    }
    const registration = consumer?.registration;
    if (consumer === undefined || registration === undefined) return;
    registration[how === 'evict' ? 'evict' : 'unsubscribe']();
    if (how === 'evict') consumer.evicted = true;
    this.#left(consumer);
    if (how === 'unregister') this.#awaitGrace(consumer, registration);
  }

  put(which: number): void {
    const taken = take(this.leases, which);
    if (taken === undefined) return;
    taken.lease.put();
    taken.consumer.witness.put(taken.lease);
  }

  /** The range that operations on this one wait for others by. */
  widest(file: number, range: PageRange): PageRange {
    return this.ledger.widened(this.files[file]!.id, range);
  }

  /** The work fails, unless nobody may. */
  rejectWork(which: number): void {
    const work = this.work.end(which);
    if (work === undefined) return;
    if (this.#options.harmless === true) {
      work.resolve();
      return;
    }
    this.#fails(work.call);
    work.reject(new Error('the work failed'));
  }

  /** All but the probes. */
  strangers(): Consumer[] {
    return this.consumers.filter((consumer) => !this.probes.includes(consumer));
  }

  #called(
    consumer: Consumer,
    start: number,
    end: number,
    event: NotifierEvent,
  ): void | Promise<void> {
    if (this.#calling !== undefined)
      this.#breaks(1, `${consumer.name} is told inside another call`);
    if (consumer.gone) this.#breaks(6, `${consumer.name} is told after its grace period`);
    if (consumer.left) this.#breaks(3, `${consumer.name} is told after it left`);
    const { type, position, reason, kept = [], conversion } = event;
    const { step } = this;
    const told = { consumer, type, start, end, position, reason, kept, conversion, step };
    this.deliveries.push(told);
    consumer.heard(told);
    const { budget } = consumer;
    if (budget !== undefined && budget.used > budget.limit) {
      this.#breaks(8, `${consumer.name} has ${budget.used} mappings of ${budget.limit}`);
    }
    consumer.witness.told(event, start, end);
    const { name } = consumer;
    const call: Call = { consumer, name, position, type, start, end, working: 0, failed: false };
    if (this.probes.includes(consumer)) {
      const late = this.#letGo.firstTold(consumer.file, type, start, end, position);
      for (const detail of late) this.#breaks(4, detail);
      this.#probed(consumer, event, { start, end });
    } else if (type === 'invalidate') this.#letGo.asked(call);
    // Pages that are converted or have an error stay.
    const stays = reason === 'convert' || reason === 'poison';
    if (type === 'invalidate' && !stays) this.ledger.told(call, consumer.file.id, start, end);
    if (type === 'invalidate' && reason === 'convert') this.conversions.asked(call);
    this.#calling = consumer;
    this.work.goesOn(call, 1);
    try {
      return this.#behave(call, start, end, event);
    } finally {
      this.work.goesOn(call, -1);
      this.#calling = undefined;
    }
  }

  #behave(call: Call, start: number, end: number, event: NotifierEvent): void | Promise<void> {
    const { consumer } = call;
    const { behaviours, file } = consumer;
    const behaviour = behaviours[consumer.calls++ % behaviours.length]!;
    switch (this.#options.harmless === true && behaviour === 'throw' ? 'ok' : behaviour) {
      case 'ok':
        return undefined;
      case 'throw':
        this.#fails(call);
        throw new Error('the callback failed');
      case 'wait':
        event.waitUntil(this.work.begin(call));
        return undefined;
      case 'async':
        return this.work.begin(call);
      case 'never':
        // Nobody could evict an observer, or one that has not yet learnt of its place.
        if (consumer.registration === undefined) return undefined;
        this.work.goesOn(call, 1);
        call.failed = true; // It ends by eviction only.
        return new Promise(() => {});
      case 'reenter':
        // Once only: told of its own punch, it would punch for ever.
        if (consumer.calls <= behaviours.length)
          this.punch(this.files.indexOf(file), { start, end });
        return undefined;
      case 'stray':
        if (consumer.calls <= behaviours.length) {
          const page = (end + 1) % this.pages;
          this.punch(this.files.indexOf(file), { start: page, end: page + 1 });
        }
        return undefined;
      case 'leave':
        this.dismiss('unsubscribe', consumer);
        return undefined;
      case 'deadlock':
        this.#deadlock(consumer, event);
        return undefined;
    }
  }

  /** What follows from what the first consumer of a file is told. */
  #probed({ file }: Consumer, event: NotifierEvent, range: PageRange): void {
    if (event.type !== 'invalidateEnd') return;
    if (event.reason === 'poison') this.ledger.poisoned(file.id, range.start, range.end);
    this.conversions.ended(file, range, event);
  }

  #converting(file: number, range: PageRange, to: Side): void {
    const position = this.memfile.state.position + 1;
    const found = this.conversions.changing(file, range, to, position);
    for (const detail of found) this.#breaks(8, detail);
  }

  #deadlock(consumer: Consumer, event: NotifierEvent): void {
    const { registration } = consumer;
    if (registration === undefined) return;
    const grace = registration.unregister();
    this.#left(consumer);
    try {
      event.waitUntil(grace);
      this.#breaks(6, 'waiting for the end of its own grace period was not refused');
    } catch (error) {
      if (!(error instanceof MemfileError) || error.code !== 'EDEADLK') throw error;
    }
  }

  #left(consumer: Consumer): void {
    if (consumer.left) return;
    consumer.left = true;
    consumer.leftAt = Math.min(consumer.leftAt, this.deliveries.length);
    consumer.witness.left();
  }

  #fails(call: Call): void {
    call.failed = true;
    if (call.type === 'prepare') call.consumer.witness.refused?.(call.start, call.end);
    // What an evicted consumer does later is nobody's news any more.
    if (!call.consumer.evicted) call.consumer.failures++;
  }

  #awaitGrace(consumer: Consumer, registration: Registration): void {
    void registration.unregister().then(() => {
      consumer.gone = true;
      if (consumer.working > 0) {
        this.#breaks(6, `${consumer.name} is still at work after its grace period`);
      }
    });
  }

  #breaks(law: number, detail: string): void {
    this.broken.push({ law, detail });
  }
}
