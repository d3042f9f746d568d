import type { PfnRun, StoreFile } from './backing-store.js';
import type { Audience } from './audience.js';
import type { Access, StoreCapabilities } from './capabilities.js';
import { announced, arrived, ended } from './changes.js';
import type { Engine } from './engine.js';
import { MemfileError, messageOf } from './errno.js';
import type { JournalEvent, NotifierCallback, Reason } from './event.js';
import { ROW } from './event-row.js';
import type { NotifiedFile } from './notifier.js';
import type { NotifierList } from './notifier-list.js';
import type { Operation, OperationHome, OperationHost, Running } from './operation.js';
import { FileFrames } from './file-frames.js';
import { firstIn, formatRange, type PageRange } from './page-range.js';
import type { OpenWithdrawal, Registration, RegistrationHome } from './registration.js';
import type { Section, SectionOwner } from './section.js';
import { SrcuDomain } from './srcu.js';
import type { FileState } from './state.js';
import { ToldEvent, type EventDetail, type EventHost } from './told-event.js';
import { standsFor } from './waits-for.js';

/** A page that cannot be converted, and whose leases are in the way. */
export interface Held {
  readonly page: number;
  readonly holders: readonly string[];
}

/** What operations, registrations and leases of one memory file share. */
export class FileCore implements OperationHome, RegistrationHome, EventHost {
  readonly engine: Engine;
  readonly file: NotifiedFile;
  readonly state: FileState;
  readonly store: StoreFile;
  /** What was declared of its store. */
  readonly capabilities: StoreCapabilities;
  readonly notifiers: NotifierList<Registration>;
  readonly srcu: SrcuDomain;
  /** What its store has given it. */
  readonly frames: FileFrames;
  readonly name: string;
  readonly queue: OperationHost;
  readonly lane: Operation[] = [];
  readonly open: OpenWithdrawal[] = [];
  /** What stands in `open` for one that is over before its step is. */
  readonly #leaving = { operation: 0, start: 0, end: 0, unless: undefined };
  /** The reader sections that outlived their synchronous part and are not over. */
  readonly sections = new Set<Section>();
  closed = false;

  constructor(
    engine: Engine,
    file: NotifiedFile,
    state: FileState,
    store: StoreFile,
    capabilities: StoreCapabilities,
    notifiers: NotifierList<Registration>,
  ) {
    this.engine = engine;
    this.name = state.name;
    this.queue = engine.queue;
    this.file = file;
    this.state = state;
    this.store = store;
    this.capabilities = capabilities;
    this.notifiers = notifiers;
    this.frames = new FileFrames(state.frames);
    this.srcu = new SrcuDomain(state.name);
  }

  get granule(): number {
    return this.store.granule ?? 1;
  }

  admit(operation: Operation): void {
    if (this.closed) throw this.#isClosed(operation);
    this.engine.checkJournal(operation.syscall);
    operation.id = this.nextOperation;
  }

  get nextOperation(): number {
    return this.engine.state.lastOperation + 1;
  }

  /**
   * Whether an operation that comes now runs at once, and nothing refuses it of what `submit` and
   * `admit` look at.
   */
  get isIdle(): boolean {
    return this.lane.length === 0 && !this.closed && this.engine.isIdle;
  }

  #isClosed({ syscall }: Operation): MemfileError {
    return new MemfileError('EBADF', syscall, `"${this.name}" is closed`);
  }

  /** Records an event of an operation; throws EIO when it is the first and cannot be. */
  record(operation: Running, event: JournalEvent): number {
    return this.engine.recordOf(operation, event);
  }

  /** As above, of pages that are about to leave. */
  recordBegin(operation: Running, start: number, end: number, reason: Reason): number {
    const { engine, state } = this;
    if (engine.recordRow(operation, ROW.invalidate, state.id, reason, start, end, 0)) {
      announced(engine.state, state, operation.id, start, end, reason);
    }
    return engine.folded();
  }

  /** As above, of pages that have left. */
  recordEnd(operation: Running, start: number, end: number, reason: Reason): number {
    const { engine, state } = this;
    if (engine.recordRow(operation, ROW.invalidateEnd, state.id, reason, start, end, 0)) {
      ended(state, operation.id, start, end, reason);
    }
    return engine.folded();
  }

  /** As above, of pages that got frames. */
  recordArrival(operation: Running, { start, end, pfn }: PfnRun, reason: Reason): number {
    const { engine, state } = this;
    if (engine.recordRow(operation, ROW.fallocate, state.id, reason, start, end, pfn)) {
      arrived(engine.state, state, operation.id, start, end, pfn);
    }
    this.frames.arrived(start, end);
    return engine.folded();
  }

  /** Pages leave, and nobody is held up by that so far; `closeBriefly` ends it in the same step. */
  openBriefly({ id }: Running, start: number, end: number): void {
    const leaving = this.#leaving;
    leaving.operation = id;
    leaving.start = start;
    leaving.end = end;
    this.open.push(leaving);
  }

  closeBriefly(): void {
    this.open.pop();
  }

  /** Tells those whom the event at `position` concerns, of what began at `begun`. */
  tell(
    audience: Audience<Registration>,
    operation: Running,
    type: NotifierCallback,
    reason: Reason,
    position: number,
    begun: number,
    start: number,
    end: number,
    unless?: Access,
    detail?: EventDetail,
  ): void {
    const { engine } = this;
    const row = engine.witnessed ? undefined : audience.rowOf(type);
    if (row === undefined ? audience.size === 0 : row.isEmpty) return;
    const { telling } = engine;
    telling.begin(new ToldEvent(this, operation, type, reason, position, begun, detail));
    if (row === undefined) audience.tellEach(engine, telling, start, end, unless);
    else row.tell(telling, start, end);
    telling.end();
  }

  hold(event: ToldEvent, promise: PromiseLike<unknown>): boolean {
    const { pass } = this.engine;
    if (pass?.event !== event || pass.receiver === undefined) return false;
    pass.hold(promise);
    return true;
  }

  consumerFailed(event: ToldEvent, owner: SectionOwner, range: PageRange, error: unknown): void {
    const { type, position } = event;
    const operation = event.operation.self;
    if (type === 'prepare') {
      const refusal = { ...range, consumer: owner, position, error };
      operation.refusals = [...operation.refusals, refusal];
    } else
      operation.failed(
        `"${owner.name}" failed in ${type} ${formatRange(range.start, range.end)}`,
        error,
      );
    if (type === 'invalidate') operation.unsafe = [...operation.unsafe, range];
    this.engine.record({
      type: 'failure',
      file: this.state.id,
      operation: operation.id,
      registration: owner.id,
      callback: type,
      message: messageOf(error),
      ...(type === 'invalidate' && { untrusted: { ...range, consumer: owner.name } }),
    });
  }

  /** Every step of an operation is taken. */
  readonly finish = (operation: Running, value?: unknown): void => {
    const { journalError } = this.engine;
    if (journalError !== undefined) operation.self.failed('the journal cannot write', journalError);
    operation.finish(value);
  };

  /** How many leases of it are out. */
  get leases(): number {
    let leases = 0;
    for (const registration of this.engine.state.registrations.values()) {
      if (registration.file === this.state.id) leases += registration.leases.size;
    }
    return leases;
  }

  /** The first of these pages, in sorted ranges, that somebody holds a lease of, and who does. */
  held(pages: readonly PageRange[]): Held | undefined {
    let page = Infinity;
    let holders: string[] = [];
    for (const { file, name, leases } of this.engine.state.registrations.values()) {
      if (file !== this.state.id) continue;
      for (const { pfn, offset, order } of leases.near(pages, this.state.frames)) {
        const start = offset - (offset % 2 ** order);
        const first = firstIn(pages, { start, end: start + 2 ** order });
        if (first === undefined || first > page) continue;
        if (this.state.frames.get(offset) !== pfn) continue; // The page has left, or come anew.
        if (first < page) holders = [];
        page = first;
        holders.push(name);
      }
    }
    return holders.length === 0 ? undefined : { page, holders };
  }

  /** Resolves when every reader section that is open now is over. */
  synchronize(): Promise<void> {
    const { engine, srcu, file, sections, state } = this;
    const { pass } = engine;
    // The callback that asks is in a section itself, even if nothing has held it open yet.
    if (pass?.receiver !== undefined && pass.event.file === file) pass.section();
    if (sections.size === 0) return srcu.synchronize();
    const open = new Set(sections);
    const over = [...open].map(
      (section) => new Promise<void>((resolve) => section.whenOver(resolve)),
    );
    const waitsFor = (): Section[] => [...open].filter((section) => sections.has(section));
    const node = {
      waitsFor,
      describe: () => `synchronize of "${state.name}"`,
      get settled() {
        return waitsFor().length === 0;
      },
    };
    pass?.started(node);
    return standsFor(
      Promise.all([...over, srcu.synchronize()]).then(() => {}),
      node,
    );
  }
}
