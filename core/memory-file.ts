import { AtOnce } from './at-once.js';
import type { AttachState, StoreFile } from './backing-store.js';
import type { Access, Side, StoreCapabilities } from './capabilities.js';
import { convert } from './conversion.js';
import { depart } from './departure.js';
import type { Engine } from './engine.js';
import { MemfileError, type ErrnoCode, show } from './errno.js';
import type { FileFlag, Seal } from './event.js';
import { enlist } from './enlistment.js';
import { FileCore } from './file-core.js';
import { NotificationStream } from './notification-stream.js';
import type { NotifiedFile, Notifier } from './notifier.js';
import type { NotifierList } from './notifier-list.js';
import { Operation, type Running, type Step } from './operation.js';
import {
  checkAccess,
  checkConsumer,
  checkConversion,
  checkSeals,
  type ConvertOptions,
  type FallocateOptions,
  type NotificationsOptions,
  type OperationOptions,
  type RegisterOptions,
} from './options.js';
import {
  checkSize,
  isPageCount,
  isRange,
  MAX_PAGES,
  WHOLE_FILE,
  type PageRange,
} from './page-range.js';
import { fallocating, punching } from './page-operations.js';
import { plan, type Plan, type PlannedOperation } from './plan.js';
import { poisoning } from './poison.js';
import { refusesConvert, refusesSeals } from './refusals.js';
import type { Registration } from './registration.js';
import type { Section } from './section.js';
import { truncating } from './resizing.js';
import type { FileState } from './state.js';
import { storeHost } from './store-host.js';
import { neverThrows, NO_OPTIONS, submit } from './submission.js';
import { usable } from './usable.js';

/**
 * A memory file: a size in pages, the pages that its backing store gave it, and a list of
 * consumers that are told when pages come and go.
 *
 * Every operation answers a promise and never throws. One that nothing precedes tells its
 * consumers before the call returns; otherwise it waits for every earlier operation on an
 * overlapping range. Ranges are pages, half-open.
 */
export class MemoryFile implements NotifiedFile {
  readonly #core: FileCore;
  readonly #onClosed: () => void;
  #atOnce: AtOnce;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(
    engine: Engine,
    state: FileState,
    store: StoreFile,
    capabilities: StoreCapabilities,
    notifiers: NotifierList<Registration>,
    onClosed: () => void,
    attached: AttachState,
  ) {
    this.#core = new FileCore(engine, this, state, store, capabilities, notifiers);
    this.#atOnce = new AtOnce(this.#core);
    this.#onClosed = onClosed;
    store.attach?.(storeHost(this.#core), attached);
  }

  get id(): number {
    return this.#core.state.id;
  }

  get name(): string {
    return this.#core.state.name;
  }

  /** The name of its backing store. */
  get store(): string {
    return this.#core.state.store;
  }

  /** Its size in pages. */
  get pages(): number {
    return this.#core.state.pages;
  }

  /** Its pages come and go in aligned groups of this many. */
  get granule(): number {
    return this.#core.store.granule ?? 1;
  }

  get flags(): readonly FileFlag[] {
    return this.#core.state.flags;
  }

  get seals(): ReadonlySet<Seal> {
    return this.#core.state.seals;
  }

  /** The pages of `[start, end)` that are private, there or not; the others are shared. */
  privatePages(start = 0, end: number = MAX_PAGES): PageRange[] {
    this.#checkPart('privatePages', start, end);
    return this.#core.state.private.ranges(start, end);
  }

  /**
   * Whether a page is private, there or not; see `convert`.
   * @throws MemfileError EINVAL unless it is a page number.
   */
  isPrivate(page: number): boolean {
    if (!isPageCount(page)) throw this.#error('EINVAL', 'isPrivate', `${show(page)} is no page`);
    return this.#core.state.private.has(page);
  }

  /** How many registrations are in its list. */
  get registrations(): number {
    return this.#core.notifiers.size;
  }

  get closed(): boolean {
    return this.#core.closed;
  }

  /**
   * The pages of `[start, end)` that are there, as sorted ranges; with `access`, those that a
   * consumer with such access can use: of its side, and not poisoned.
   * @throws MemfileError EINVAL unless both are page numbers, and for another kind of access.
   */
  populated(start = 0, end: number = MAX_PAGES, access?: Access): PageRange[] {
    this.#checkPart('populated', start, end);
    if (access !== undefined) checkAccess('populated', access);
    const { state } = this.#core;
    const there = state.frames.ranges(start, end);
    return access === undefined ? there : [...usable(state, there, access)];
  }

  /**
   * Allocates the holes of `[start, end)`, as fallocate(2) with mode 0.
   *
   * Rejects with EINVAL or EFBIG for a bad range, EPERM when sealed against growing (even with
   * `keepSize`, as the kernel), EFAULT when a fault is past the end of the file, ENOSPC when the
   * store is full: nothing was added then, unless `effect` is 'partial'; as a consumer refuses in
   * `prepare` (EBUSY unless it throws a MemfileError) with `effect` 'none'; EIO with `effect`
   * 'done' when a consumer failed later.
   */
  fallocate(start: number, end: number, options: FallocateOptions = NO_OPTIONS): Promise<void> {
    if (options === NO_OPTIONS && this.#core.isIdle && isRange(start, end)) {
      return this.#keepFree(this.#atOnce.fallocate(start, end));
    }
    return this.#operateAs(fallocating, 'fallocate', start, end, options);
  }

  /**
   * Takes the pages `[start, end)` away, as fallocate(2) with FALLOC_FL_PUNCH_HOLE; past the end of
   * the file too. When it resolves, every consumer has let go and the pages are free.
   *
   * Rejects with EINVAL for a bad range, EPERM when sealed against writing; EIO with `effect`
   * 'done' when a consumer failed: the pages are gone, those it was told of are quarantined.
   */
  punchHole(start: number, end: number, options: OperationOptions = NO_OPTIONS): Promise<void> {
    if (options === NO_OPTIONS && this.#core.isIdle && isRange(start, end)) {
      return this.#keepFree(this.#atOnce.punch(start, end));
    }
    return this.#operateAs(punching, 'punchHole', start, end, options);
  }

  /**
   * Sets the size to `pages`; what lies past it leaves, as in ftruncate(2).
   *
   * Rejects with EINVAL or EFBIG for a bad size, EPERM when sealed against it, or when the file is
   * inaccessible and has its size; EIO as `punchHole`.
   */
  truncate(pages: number, options: OperationOptions = NO_OPTIONS): Promise<void> {
    return neverThrows('truncate', () => {
      const step = truncating(this.#core, pages, options ?? NO_OPTIONS);
      const start = isPageCount(pages) ? Math.min(pages, MAX_PAGES - 1) : 0;
      const check = (): void => checkSize('truncate', pages);
      return this.#operate('truncate', start, MAX_PAGES, options, step, check);
    });
  }

  /**
   * Makes pages `[start, end)` private or shared in place, whether they are there or not; punching
   * changes nothing of it. Consumers that have them let go first; those that can use them from now
   * on are told afterwards.
   *
   * Nothing has changed when it rejects (`effect` 'none'): EINVAL or EFBIG for bad arguments;
   * EOPNOTSUPP when the store cannot do that with the contents; EBUSY for a page that a consumer
   * failed to let go of before, until it was punched; as a consumer refuses in `prepare`
   * (EBUSY unless it throws a MemfileError), EAGAIN when a page is held by a lease, with `refused`
   * naming consumer, page and holders; ENOMEM as the store says; EIO when a consumer fails to let go.
   * With `effect` 'done', EIO: a consumer failed when it was told of the result.
   */
  convert(start: number, end: number, to: Side, options: ConvertOptions = {}): Promise<void> {
    return neverThrows('convert', () => {
      const { content = 'unspecified', signal } = options ?? {};
      const conversion = { to, content };
      const body = (operation: Operation): void => {
        throwIf(refusesConvert(this.#core, { start, end }, conversion));
        convert(this.#core, operation, { start, end }, conversion, this.#core.finish);
      };
      const check = (): void => checkConversion('convert', conversion);
      return this.#operate('convert', start, end, { signal }, body, check);
    });
  }

  /**
   * The frame of `page` has a hardware error, as memory_failure(): consumers let go and are told
   * `error`. The page stays, and cannot be looked up (EHWPOISON) until it is punched; its frame is
   * never used again. With a store of larger granule the whole granule is poisoned. Once is enough.
   *
   * Rejects with EINVAL or EFBIG for no page number, ENOENT for a hole, EIO when a consumer fails.
   */
  poison(page: number): Promise<void> {
    const end = isPageCount(page) ? page + 1 : 0;
    return this.#operate('poison', page, end, {}, poisoning(this.#core, page));
  }

  /**
   * Adds a consumer. In one step it takes its place in the list and the snapshot of what is
   * populated; from that position on it is told every event that overlaps its range.
   *
   * Rejects with EINVAL for a missing notifier or a bad range, EBADF when the file is closed, EINTR
   * when `signal` fires first, EIO when the journal cannot write, EOPNOTSUPP when it cannot follow
   * what the store does to pages, ENOSPC when its budget is too small; with `replay`, as it refuses
   * (EBUSY unless it throws a MemfileError), `effect` 'none'.
   */
  register(notifier: Notifier, options: RegisterOptions = {}): Promise<Registration> {
    return this.#register('register', notifier, options);
  }

  /**
   * What happens to the pages of a range, cold: each subscription registers, first emits a
   * `snapshot`, then every event that overlaps the range, and completes when the file is closed.
   * Unsubscribing unregisters. As an async iterable, an item's reader section stays open until the
   * loop asks for the next item or leaves.
   */
  notifications$(options: NotificationsOptions = {}): NotificationStream {
    const { signal, ...rest } = options ?? {};
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      const refused = (): Promise<never> =>
        this.#refuse('EINVAL', 'notifications$', 'signal is no AbortSignal');
      return new NotificationStream(undefined, refused);
    }
    return new NotificationStream(signal, (cancel, joined) =>
      this.#register(
        'notifications$',
        {},
        { name: 'notifications$', ...rest, signal: cancel, joined },
      ),
    );
  }

  /**
   * What would come of an operation if it started now; nothing changes, and nobody is asked. What
   * is queued or running is not foreseen.
   * @throws MemfileError as the operation does for bad arguments: EINVAL, EFBIG; EBADF when the
   * file is closed.
   */
  plan(operation: PlannedOperation): Plan {
    if (this.closed) throw this.#error('EBADF', 'plan', `"${this.name}" is closed`);
    return plan(this.#core, operation);
  }

  /** Resolves when every reader section of this file that is open now is over, lookups included. */
  synchronize(): Promise<void> {
    return this.#core.synchronize();
  }

  /**
   * Forbids something for good, as F_ADD_SEALS. Rejects with EINVAL for an unknown seal, EPERM when
   * the file is sealed with 'seal', EBUSY for 'write' while leases are out.
   */
  addSeals(...seals: readonly Seal[]): Promise<void> {
    const body = (operation: Operation): void => {
      throwIf(refusesSeals(this.#core, seals));
      this.#core.record(operation, { type: 'seal', file: this.id, seals: [...seals] });
      this.#core.finish(operation);
    };
    return this.#operate('addSeals', 0, MAX_PAGES, {}, body, () => checkSeals('addSeals', seals));
  }

  /**
   * Takes every page away, with reason 'close', and ends every registration. Closing twice is
   * closing once. Rejects with EIO as `punchHole`; the file is closed all the same.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      const step: Step = (operation) => {
        const { state } = this.#core;
        const end = Math.max(state.pages, state.frames.limit);
        if (end === 0) this.#end(operation);
        else depart(this.#core, operation, 0, end, 'close', this.#end);
      };
      const { start, end } = WHOLE_FILE;
      const operation = new Operation(this.#core, 'close', start, end, step);
      // Before it starts: who closes the file again from a callback gets this very promise.
      this.#closing = operation.promise() as Promise<void>;
      this.#core.engine.start(operation);
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Every registration in its list, oldest first. */
  consumers(): readonly Registration[] {
    return this.#core.notifiers.concerned().members;
  }

  /** @internal The reader sections that outlived their synchronous part and are not over. */
  openSections(): ReadonlySet<Section> {
    return this.#core.sections;
  }

  #register(syscall: string, notifier: Notifier, options: RegisterOptions): Promise<Registration> {
    return neverThrows(syscall, () => {
      // The caller's objects may change before the turn comes.
      const { name, range, replay, votes, access, follows, budget, signal, joined } = options ?? {};
      const { start, end } = range ?? WHOLE_FILE;
      const asked = { name, start, end, replay, votes, access, follows, budget, signal, joined };
      const body = (operation: Operation): void =>
        enlist(this.#core, operation, notifier, asked, this.#core.finish);
      const check = (): void => checkConsumer(syscall, notifier, asked);
      const cancel = signal === undefined ? NO_OPTIONS : { signal };
      return this.#operate(syscall, start, end, cancel, body, check);
    });
  }

  /** What has become an operation of its own serves no other: there is one for the next. */
  #keepFree(operation: Promise<void>): Promise<void> {
    if (!this.#atOnce.isFree) this.#atOnce = new AtOnce(this.#core);
    return operation;
  }

  /** One whose first step follows from its options. */
  #operateAs<Options extends OperationOptions>(
    stepOf: (file: FileCore, options: Options) => Step,
    syscall: string,
    start: number,
    end: number,
    options: Options,
  ): Promise<void> {
    return neverThrows(syscall, () => {
      const step = stepOf(this.#core, options ?? NO_OPTIONS);
      return this.#operate(syscall, start, end, options, step);
    });
  }

  /** An operation on a range that a caller gave. */
  #operate<T = void>(
    syscall: string,
    start: number,
    end: number,
    options: OperationOptions,
    body: Step,
    check?: () => void,
  ): Promise<T> {
    const operation = new Operation(this.#core, syscall, start, end, body);
    return submit(this.#core, operation, options, check);
  }

  readonly #end = (operation: Running): void => {
    this.#core.record(operation, { type: 'close', file: this.id });
    for (const registration of this.consumers()) registration.fileClosed();
    this.#core.closed = true;
    this.#onClosed();
    operation.self.effect = 'done'; // Whatever became of the frames, the file is closed.
    this.#core.finish(operation);
  };

  #checkPart(syscall: string, start: number, end: number): void {
    if (isPageCount(start) && isPageCount(end)) return;
    throw this.#error('EINVAL', syscall, `[${show(start)}, ${show(end)}) is no range`);
  }

  #refuse(code: ErrnoCode, syscall: string, detail: string): Promise<never> {
    return Promise.reject(this.#error(code, syscall, detail));
  }

  #error(code: ErrnoCode, syscall: string, detail: string): MemfileError {
    return new MemfileError(code, syscall, detail);
  }
}

function throwIf(refusal: MemfileError | undefined): void {
  if (refusal !== undefined) throw refusal;
}
