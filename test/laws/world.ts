import {
  createMemfile,
  MemfileError,
  Scheduler,
  type Lease,
  type Side,
  type Memfile,
  type MemoryFile,
  type Notification,
  type NotifierEvent,
  type PageRange,
  type RecordLevel,
  type Registration,
  type StateSnapshot,
} from '../../core/index.js';
import { LawModel } from '../model/index.js';
import {
  Consumer,
  type Call,
  type Delivery,
  type SubmittedOperation,
  type Work,
} from './consumer.js';
import { FrameLedger } from './frame-ledger.js';
import { HostileStore } from './hostile-store.js';
import { FILES, PAGES, type Program, type Step } from './program.js';

/** A conversion that was refused late, and the lease that was in its way if there was one. */
interface Refusal extends PageRange {
  readonly file: number;
  readonly page: number | undefined;
  readonly holders: readonly string[];
}

type Registering = Omit<Extract<Step, { readonly do: 'register' }>, 'do'>;

const PROBE = { observer: false, votes: false, replay: false, access: 'both', budget: 0 } as const;

/** Lets operations go on one at a time, as the program says. */
class ManualScheduler extends Scheduler {
  readonly suspended: Array<() => void> = [];

  schedule(): Promise<void> {
    return new Promise((resolve) => this.suspended.push(resolve));
  }
}

/** Runs one random program, and keeps what an oracle needs to judge it. */
export class World {
  readonly model = new LawModel();
  readonly ledger = new FrameLedger();
  readonly store = new HostileStore(this.ledger);
  readonly scheduler = new ManualScheduler();
  readonly memfile: Memfile<readonly [HostileStore]>;
  readonly files: MemoryFile[] = [];
  /** The first consumer of each file: told everything, and always well behaved. */
  readonly probes: Consumer[] = [];
  readonly consumers: Consumer[] = [];
  readonly operations: SubmittedOperation[] = [];
  readonly deliveries: Delivery[] = [];
  /** What was seen to be wrong while it ran, by law. */
  readonly broken: { readonly law: number; readonly detail: string }[] = [];
  readonly leases: { readonly consumer: Consumer; readonly lease: Lease }[] = [];
  /** The state after every step, by position. */
  readonly states = new Map<number, StateSnapshot>();
  /** Conversions that did not take place after everybody had been told of them. */
  readonly refused: Refusal[] = [];
  /** By file, who was called to let go in the last conversion. */
  readonly #converted = new Map<number, Call[]>();
  step = 0;
  /** What was called to let go of pages, and the begins of which the end has not come. */
  readonly #calls: Call[] = [];
  readonly #begun: { file: MemoryFile; start: number; end: number; position: number }[] = [];
  /** Called after every step, when nothing moves by itself any more. */
  onQuiet: ((world: World) => void) | undefined;
  #work: Work[] = [];
  #calling: Consumer | undefined;
  readonly #harmless: boolean;

  /** @param harmless lets nobody fail: what everybody is told must not change. */
  constructor(harmless = false, record: RecordLevel = 'state') {
    this.#harmless = harmless;
    const { store, scheduler } = this;
    this.memfile = createMemfile({ plugins: [store] as const, scheduler, record });
  }

  async start(): Promise<void> {
    this.ledger.position = () => this.memfile.state.position + 1;
    this.ledger.onConvert = (file, start, end, to) => this.#converting(file, start, end, to);
    for (let i = 0; i < FILES; i++) {
      this.files.push(this.memfile.createFile('hostile', { size: PAGES, name: `file ${i}` }));
      this.register({ file: i, start: 0, pages: 0, behaviours: ['ok'], ...PROBE });
      await settle();
      this.probes.push(this.consumers.at(-1)!);
    }
  }

  async run({ steps }: Program): Promise<void> {
    for (const step of steps) {
      this.step++;
      const alone = step.do === 'punch' && this.#nothingPrecedes(step.file, step);
      this.take(step);
      if (alone) this.#expectToldAtOnce(step.file, step);
      await settle();
      this.onQuiet?.(this);
      this.states.set(this.memfile.state.position, this.memfile.state.toJSON());
    }
    this.step++;
    await this.drain();
  }

  take(step: Step): void {
    switch (step.do) {
      case 'fallocate': {
        const range = { start: step.start, end: step.start + step.pages };
        this.submit('fallocate', step.file, range, (signal) =>
          this.files[step.file]!.fallocate(range.start, range.end, { signal }),
        );
        break;
      }
      case 'punch':
        this.punch(step.file, { start: step.start, end: step.start + step.pages });
        break;
      case 'convert': {
        const { file, start, pages, to, content } = step;
        const end = start + pages;
        const operation = this.submit('convert', file, { start, end }, (signal) =>
          this.files[file]!.convert(start, end, to, { content, signal }),
        );
        Object.assign(operation, { to, zeroes: content === 'zero' });
        break;
      }
      case 'poison':
        this.submit('poison', step.file, { start: step.page, end: step.page + 1 }, () =>
          this.files[step.file]!.poison(step.page),
        );
        break;
      case 'truncate':
        this.submit('truncate', step.file, { start: step.pages, end: Infinity }, (signal) =>
          this.files[step.file]!.truncate(step.pages, { signal }),
        );
        break;
      case 'register':
        this.register(step);
        break;
      case 'unsubscribe':
      case 'unregister':
      case 'evict':
        this.dismiss(step.do, pick(this.strangers(), step.who));
        break;
      case 'lookup':
        this.lookup(pick(this.consumers, step.who), step.page);
        break;
      case 'put':
        this.put(step.which);
        break;
      case 'settle':
        this.endWork(step.which)?.resolve();
        break;
      case 'reject': {
        const work = this.endWork(step.which);
        if (this.#harmless) work?.resolve();
        else if (work !== undefined) {
          this.#fails(work.call);
          work.reject(new Error('the work failed'));
        }
        break;
      }
      case 'resume':
        take(this.scheduler.suspended, step.which)?.();
        break;
      case 'abort':
        this.abort(pick(this.operations.slice(FILES), step.which));
        break;
      case 'fault':
        this.store.fault = step.fault;
        break;
      case 'close':
        this.submit('close', step.file, { start: 0, end: Infinity }, () =>
          this.files[step.file]!.close(),
        );
        break;
    }
  }

  /** Lets everything come to its end: work settles, and who never would is evicted. */
  async drain(): Promise<void> {
    for (let round = 0; round < 200; round++) {
      await settle();
      const suspended = this.scheduler.suspended.shift();
      if (suspended !== undefined) suspended();
      else if (this.#work.length > 0) this.endWork(0)!.resolve();
      else {
        const stuck = this.consumers.find(
          ({ registration, evicted }) => (registration?.sections ?? 0) > 0 && !evicted,
        );
        if (stuck === undefined || this.pending().length === 0) break;
        this.dismiss('evict', stuck);
      }
    }
    await settle();
    this.states.set(this.memfile.state.position, this.memfile.state.toJSON());
  }

  pending(): SubmittedOperation[] {
    return this.operations.filter(({ outcome }) => outcome === 'pending');
  }

  punch(file: number, range: PageRange): void {
    this.submit('punch', file, range, (signal) =>
      this.files[file]!.punchHole(range.start, range.end, { signal }),
    );
  }

  submit(
    kind: SubmittedOperation['kind'],
    file: number,
    range: PageRange,
    start: (signal: AbortSignal) => Promise<unknown>,
  ): SubmittedOperation {
    const abort = new AbortController();
    const nested = this.#calling !== undefined;
    const operation: SubmittedOperation = { kind, file, range, abort, nested, outcome: 'pending' };
    this.operations.push(operation);
    start(abort.signal).then(
      () => (operation.outcome = 'done'),
      (error: unknown) => {
        if (!(error instanceof MemfileError))
          this.#breaks(11, `${kind} rejects with ${String(error)}`);
        operation.outcome = error as MemfileError;
      },
    );
    return operation;
  }

  register(asked: Registering): void {
    const { file, start, pages, behaviours, observer, votes, replay, access, budget } = asked;
    const target = this.files[file]!;
    const range = pages === 0 ? { start: 0, end: 2 ** 51 } : { start, end: start + pages };
    const name = `consumer ${this.consumers.length}`;
    const witness = this.model.consumer(name, target);
    const consumer = new Consumer(name, target, range, behaviours, witness, access, budget);
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
    consumer.operation = this.submit('register', file, range, (signal) =>
      target
        .register(notifier, { range, name, signal, replay, access, budget: consumer.budget })
        .then(
          (registration) => {
            consumer.registration = registration;
            this.#placed(consumer, registration);
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
    const index = this.files.indexOf(file);
    const abort = new AbortController();
    const operation: SubmittedOperation = {
      kind: 'register',
      file: index,
      range,
      abort,
      nested: false,
      outcome: 'pending',
    };
    this.operations.push(operation);
    consumer.operation = operation;
    const next = (told: Notification): void | Promise<void> => {
      if (told.type === 'snapshot') {
        const { ranges: snapshot, position } = told;
        operation.outcome = 'done';
        this.#placed(consumer, { position, snapshot });
        witness.registered({ range, snapshot, position, access: consumer.access });
        return undefined;
      }
      return call(told.start, told.end, { ...told, file });
    };
    consumer.subscription = file
      .notifications$({
        range,
        name,
        votes: votes || consumer.budget !== undefined,
        access: consumer.access,
        budget: consumer.budget,
        signal: abort.signal,
      })
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

  lookup(consumer: Consumer | undefined, page: number): void {
    const registration = consumer?.registration;
    if (consumer === undefined || registration === undefined) return;
    try {
      const lease = registration.lookup(page);
      consumer.witness.lookedUp(lease);
      this.leases.push({ consumer, lease });
    } catch (error) {
      const code = error instanceof MemfileError ? error.code : String(error);
      if (code === 'EINVAL' || code === 'EBADF') return;
      const { file, access } = consumer;
      const side = this.ledger.sideOf(file.id, page);
      const other = access !== 'both' && access !== side;
      let expected = other ? 'EFAULT' : 'nothing';
      if (this.ledger.isPoisoned(file.id, page)) expected = 'EHWPOISON';
      if (!this.ledger.has(file.id, page)) expected = 'ENOENT';
      if (code !== expected) this.#breaks(11, `lookup throws ${code}, not ${expected}`);
    }
  }

  put(which: number): void {
    const taken = take(this.leases, which);
    if (taken === undefined) return;
    taken.lease.put();
    taken.consumer.witness.put(taken.lease);
  }

  endWork(which: number): Work | undefined {
    const work = take(this.#work, which);
    if (work !== undefined) {
      work.call.working--;
      work.call.consumer.working--;
    }
    return work;
  }

  /** All but the probes. */
  strangers(): Consumer[] {
    return this.consumers.filter((consumer) => !this.probes.includes(consumer));
  }

  /** The first consumer of a file hears the end first: by then everybody has let go. */
  #expectLetGo(
    { file }: Consumer,
    type: NotifierEvent['type'],
    start: number,
    end: number,
    position: number,
  ): void {
    if (type === 'invalidate') this.#begun.push({ file, start, end, position });
    if (type !== 'invalidateEnd') return;
    const at = this.#begun.findIndex(
      (begin) => begin.file === file && begin.start === start && begin.end === end,
    );
    const begin = this.#begun.splice(at, 1)[0];
    for (const call of this.#calls) {
      if (call.position !== begin?.position || call.working === 0 || call.consumer.evicted)
        continue;
      this.#breaks(4, `${call.name} has not let go at the end of what began at ${call.position}`);
    }
  }

  #nothingPrecedes(file: number, { start, pages }: { start: number; pages: number }): boolean {
    const range = { start, end: start + pages };
    return this.operations.every(
      (earlier) =>
        earlier.file !== file || earlier.outcome !== 'pending' || !overlap(earlier.range, range),
    );
  }

  #expectToldAtOnce(file: number, { start }: { start: number }): void {
    const probe = this.probes[file]!;
    const closed = this.files[file]!.closed;
    const told = this.deliveries.some(
      (delivery) =>
        delivery.consumer === probe && delivery.step === this.step && delivery.start === start,
    );
    if (!closed && !told)
      this.#breaks(1, 'an operation that nothing precedes was not told at once');
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
    this.deliveries.push({ consumer, type, start, end, position, reason, kept, conversion, step });
    this.#heard(consumer, event, start, end);
    consumer.witness.told(event, start, end);
    const { name } = consumer;
    const call: Call = { consumer, name, position, type, start, end, working: 0, failed: false };
    if (this.probes.includes(consumer)) this.#expectLetGo(consumer, type, start, end, position);
    else if (type === 'invalidate') this.#calls.push(call);
    // Pages that are converted or have an error stay.
    const leaving = type === 'invalidate' && reason !== 'convert' && reason !== 'poison';
    if (leaving) this.ledger.told(call, consumer.file.id, start, end);
    if (this.probes.includes(consumer)) this.#probed(consumer, event, start, end);
    if (type === 'invalidate' && reason === 'convert') this.#convertCall(call);
    this.#calling = consumer;
    this.#goesOn(call, 1);
    try {
      return this.#behave(call, start, end, event);
    } finally {
      this.#goesOn(call, -1);
      this.#calling = undefined;
    }
  }

  #behave(call: Call, start: number, end: number, event: NotifierEvent): void | Promise<void> {
    const { consumer } = call;
    const { behaviours, file } = consumer;
    const behaviour = behaviours[consumer.calls++ % behaviours.length]!;
    switch (this.#harmless && behaviour === 'throw' ? 'ok' : behaviour) {
      case 'ok':
        return undefined;
      case 'throw':
        this.#fails(call);
        throw new Error('the callback failed');
      case 'wait':
        event.waitUntil(this.#newWork(call));
        return undefined;
      case 'async':
        return this.#newWork(call);
      case 'never':
        // Nobody could evict an observer, or one that has not yet learnt of its place.
        if (consumer.registration === undefined) return undefined;
        this.#goesOn(call, 1);
        call.failed = true; // It ends by eviction only.
        return new Promise(() => {});
      case 'reenter':
        // Once only: told of its own punch, it would punch for ever.
        if (consumer.calls <= behaviours.length)
          this.punch(this.files.indexOf(file), { start, end });
        return undefined;
      case 'stray':
        if (consumer.calls <= behaviours.length) {
          const page = (end + 1) % PAGES;
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

  /** The calls of one conversion of a page are those since the last one that overlaps it. */
  #convertCall(call: Call): void {
    const { id } = call.consumer.file;
    const others = (this.#converted.get(id) ?? []).filter(
      (other) => other.position === call.position || !overlap(other, call),
    );
    this.#converted.set(id, [...others, call]);
  }

  /** What a consumer learns at its place, or before it was told of it. */
  #placed(
    consumer: Consumer,
    place: { readonly position: number; readonly snapshot: readonly PageRange[] },
  ): void {
    const later = this.deliveries.filter((delivery) => delivery.consumer === consumer);
    consumer.place = place;
    consumer.usable.clear();
    for (const { start, end } of place.snapshot) consumer.usable.add(start, end);
    for (const delivery of later) this.#account(consumer, delivery);
  }

  #heard(consumer: Consumer, event: NotifierEvent, start: number, end: number): void {
    const { type, kept = [], reason } = event;
    this.#account(consumer, { type, start, end, kept });
    const { budget } = consumer;
    if (type === 'prepare' && event.conversion?.to !== undefined) {
      const gains = event.conversion.to === consumer.access;
      if (gains) budget?.prepared.add(start, end);
    } else if (type === 'prepare' && reason !== 'replay') budget?.prepared.add(start, end);
    if (type === 'rollback' || type === 'fallocate') budget?.prepared.remove(start, end);
    if (budget !== undefined && budget.used > budget.limit) {
      this.#breaks(8, `${consumer.name} has ${budget.used} mappings of ${budget.limit}`);
    }
    if (type === 'invalidate') consumer.open.push({ start, end });
    if (type === 'invalidateEnd') {
      const at = consumer.open.findIndex((range) => range.start === start && range.end === end);
      consumer.open.splice(at, 1);
    }
  }

  #account(
    { usable }: Consumer,
    { type, start, end, kept }: Pick<Delivery, 'type' | 'start' | 'end' | 'kept'>,
  ): void {
    if (type === 'fallocate') usable.add(start, end);
    if (type !== 'invalidateEnd') return;
    usable.remove(start, end);
    for (const range of kept) usable.add(range.start, range.end);
  }

  /** Pages change sides: everybody who has them as they were has let go, and really so. */
  #converting(id: number, start: number, end: number, to: Side): void {
    for (const { file, name, access, place, left, range, open } of this.consumers) {
      if (file.id !== id || access === to || place === undefined || left) continue;
      const mine = { start: Math.max(start, range.start), end: Math.min(end, range.end) };
      if (mine.start >= mine.end) continue;
      const told = open.some((one) => one.start === mine.start && one.end === mine.end);
      if (!told) this.#breaks(8, `${name} was not told before [${start}, ${end}) became ${to}`);
    }
    for (const call of this.#converted.get(id) ?? []) {
      if (!overlap(call, { start, end })) continue;
      if (call.working === 0 && !call.failed) continue;
      this.#breaks(8, `${call.name} has not let go when [${start}, ${end}) became ${to}`);
    }
  }

  /** What follows from what the first consumer of a file is told. */
  #probed({ file }: Consumer, event: NotifierEvent, start: number, end: number): void {
    const { type, reason, conversion } = event;
    if (type === 'error' && reason === 'poison') this.ledger.poisoned(file.id, start, end);
    if (conversion === undefined) return;
    const changing: number[] = [];
    for (let page = start; page < end; page++) {
      if (this.ledger.sideOf(file.id, page) !== conversion.to) changing.push(page);
    }
    if (type !== 'invalidateEnd' || changing.length === 0) return;
    // It was refused: by a lease, the store, or somebody who failed to let go.
    const page = this.ledger.heldAgainst(file.id, { start, end }, conversion.to);
    const holders = this.leases
      .filter(({ consumer, lease }) => consumer.file === file && lease.offset === page)
      .filter(({ lease }) => this.ledger.frameOf(file.id, lease.offset) === lease.pfn)
      .map(({ consumer }) => consumer.name);
    this.refused.push({ file: file.id, start, end, page, holders: [...new Set(holders)] });
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

  #newWork(call: Call): Promise<void> {
    this.#goesOn(call, 1);
    return new Promise((resolve, reject) => this.#work.push({ call, resolve, reject }));
  }

  #fails(call: Call): void {
    call.failed = true;
    if (call.type === 'prepare') call.consumer.witness.refused?.(call.start, call.end);
    // What an evicted consumer does later is nobody's news any more.
    if (!call.consumer.evicted) call.consumer.failures++;
  }

  #goesOn(call: Call, by: 1 | -1): void {
    call.working += by;
    call.consumer.working += by;
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

/** Runs every promise that has settled, and what follows from it. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

export function overlap(a: PageRange, b: PageRange): boolean {
  return a.start < b.end && b.start < a.end;
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from[which % from.length];
}

function take<T>(from: T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from.splice(which % from.length, 1)[0];
}

/** Runs a program in a world of its own. */
export async function play(
  program: Program,
  {
    harmless = false,
    record = 'state',
    onQuiet,
  }: { harmless?: boolean; record?: RecordLevel; onQuiet?: (world: World) => void } = {},
): Promise<World> {
  const world = new World(harmless, record);
  world.onQuiet = onQuiet;
  await world.start();
  await world.run(program);
  return world;
}
