import type { PfnRun, StoreFile } from './backing-store.js';
import type { Audience } from './audience.js';
import type { Access, StoreCapabilities } from './capabilities.js';
import { announced, arrived, ended } from './changes.js';
import type { Engine } from './engine.js';
import { MemfileError, messageOf } from './errno.js';
import type { JournalEvent, NotifierCallback, Reason } from './event.js';
import { codeOfReason, fitsRow, headOf, ROW } from './event-row.js';
import type { NotifiedFile } from './notifier.js';
import type { NotifierList } from './notifier-list.js';
import type { Operation, OperationHome, OperationHost } from './operation.js';
import { FileFrames } from './file-frames.js';
import { firstIn, formatRange, type PageRange } from './page-range.js';
import { Pass, type PassDetail, type PassHost } from './pass.js';
import type { OpenWithdrawal, Registration, RegistrationHome } from './registration.js';
import type { Section, SectionOwner } from './section.js';
import { SrcuDomain } from './srcu.js';
import type { FileState } from './state.js';
import { standsFor } from './waits-for.js';

/** A page that cannot be converted, and whose leases are in the way. */
export interface Held {
  readonly page: number;
  readonly holders: readonly string[];
}

/** What operations, registrations and leases of one memory file share. */
export class FileCore implements OperationHome, RegistrationHome, PassHost {
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
    operation.id = this.engine.state.lastOperation + 1;
  }

  #isClosed({ syscall }: Operation): MemfileError {
    return new MemfileError('EBADF', syscall, `"${this.name}" is closed`);
  }

  /** Records an event of an operation; throws EIO when it is the first and cannot be. */
  record(operation: Operation, event: JournalEvent): number {
    if (operation.recorded) return this.engine.record(event);
    const position = this.engine.begin(operation.syscall, event);
    operation.recorded = true;
    return position;
  }

  /** As above, of pages that leave. */
  recordRange(
    operation: Operation,
    type: 'invalidate' | 'invalidateEnd',
    start: number,
    end: number,
    reason: Reason,
  ): number {
    const { engine, state: file } = this;
    const { id } = operation;
    if (!fitsRow(file.id, id, end - start)) {
      return this.#recordLong(operation, type, start, end, reason);
    }
    const begins = type === 'invalidate';
    const code = begins ? ROW.invalidate : ROW.invalidateEnd;
    if (!this.#recordRow(operation, code, reason, start, end, 0)) return engine.state.position;
    if (begins) announced(engine.state, file, id, start, end, reason);
    else ended(file, id, start, end, reason);
    return engine.folded();
  }

  #recordLong(
    operation: Operation,
    type: 'invalidate' | 'invalidateEnd',
    start: number,
    end: number,
    reason: Reason,
  ): number {
    const where = { file: this.state.id, operation: operation.id };
    return this.record(operation, { type, ...where, start, end, reason });
  }

  /** As above, of pages that got frames. */
  recordArrival(operation: Operation, { start, end, pfn }: PfnRun, reason: Reason): number {
    const position = this.#recordArrival(operation, start, end, pfn, reason);
    this.frames.arrived(start, end);
    return position;
  }

  #recordArrival(
    operation: Operation,
    start: number,
    end: number,
    pfn: number,
    reason: Reason,
  ): number {
    const { engine, state: file } = this;
    const { id } = operation;
    if (!fitsRow(file.id, id, end - start)) {
      const event = { file: file.id, operation: id, start, end, pfn, reason };
      return this.record(operation, { type: 'fallocate', ...event });
    }
    if (!this.#recordRow(operation, ROW.fallocate, reason, start, end, pfn)) {
      return engine.state.position;
    }
    arrived(engine.state, file, id, start, end, pfn);
    return engine.folded();
  }

  #recordRow(
    operation: Operation,
    type: number,
    reason: Reason,
    start: number,
    end: number,
    pfn: number,
  ): boolean {
    const syscall = operation.recorded ? undefined : operation.syscall;
    const head = headOf(type, this.state.id);
    const code = codeOfReason(reason);
    const { engine } = this;
    if (!engine.recordRow(syscall, head, code, operation.id, end - start, start, pfn)) return false;
    operation.recorded = true;
    return true;
  }

  /** The pass that tells consumers of the event at `position`, of what began at `begun`. */
  pass(
    operation: Operation,
    type: NotifierCallback,
    reason: Reason,
    position: number,
    begun: number = position,
    detail?: PassDetail,
  ): Pass {
    return new Pass(this, operation, type, reason, position, begun, detail);
  }

  /** Tells those whom the event at `position` concerns, of what began at `begun`. */
  tell(
    audience: Audience<Registration>,
    operation: Operation,
    type: NotifierCallback,
    reason: Reason,
    position: number,
    begun: number,
    start: number,
    end: number,
    unless?: Access,
    detail?: PassDetail,
  ): void {
    const { engine } = this;
    const row = engine.witnessed ? undefined : audience.rowOf(type);
    if (row === undefined ? audience.size === 0 : row.isEmpty) return;
    const pass = new Pass(this, operation, type, reason, position, begun, detail);
    engine.pass = pass;
    if (row === undefined) audience.tellEach(engine, pass, start, end, unless);
    else row.tell(pass, start, end);
    engine.pass = undefined;
  }

  consumerFailed(pass: Pass, owner: SectionOwner, range: PageRange, error: unknown): void {
    const { operation, type, position } = pass;
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
  readonly finish = (operation: Operation, value?: unknown): void => {
    const { journalError } = this.engine;
    if (journalError !== undefined) operation.failed('the journal cannot write', journalError);
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
    const { engine, srcu, lane, sections, state } = this;
    const { pass } = engine;
    // The callback that asks is in a section itself, even if nothing has held it open yet.
    if (pass?.receiver !== undefined && pass.operation.lane === lane) pass.section();
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
