import { randomBytes } from 'node:crypto';
import { asMemfileError, MemfileError, show, type Effect } from '../../core/errno.js';
import {
  MAX_PAGES,
  MicrotaskScheduler,
  PAGE_SIZE,
  type Access,
  type Lease,
  type MemoryFile,
  type PageRange,
  type Scheduler,
} from '../../core/index.js';
import { checkRange, isPageCount, overlaps } from '../../core/page-range.js';
import type { Witness } from '../witness.js';
import { DeviceAttachment, type AttachmentHost } from './attachment.js';
import {
  checkAttachment,
  checkDeviceOptions,
  DMA_ENTRY_LIMIT,
  type AttachOptions,
  type EncryptedDeviceOptions,
} from './options.js';
import { InFlight } from './in-flight.js';
import { IommuTable } from './iommu-table.js';
import { KEY_BYTES, PageCipher } from './page-cipher.js';

/** Where a device is in its life, as an interface of TDISP. */
export type DeviceState = 'unlocked' | 'locked' | 'run' | 'error';

/** Reads and changes the contents of one page, decrypted; answers whether it changed them. */
type Touch = (plain: Uint8Array, from: number, to: number, done: number) => boolean;

/**
 * A device that encrypts what it writes: a consumer with an IOMMU before it.
 *
 * In RUN it maps every page of its windows that it can use, follows them as they come and go, and
 * does DMA; in any other state nothing is mapped. An invalidation waits until the IOTLB is flushed
 * and no DMA to the pages is in flight. I/O virtual addresses are bytes.
 */
export class EncryptedDevice implements AsyncDisposable, AttachmentHost {
  readonly name: string;
  readonly access: Access;
  readonly pins: boolean;
  readonly table: IommuTable;
  /** @internal */
  readonly inFlight = new InFlight();
  readonly scheduler: Scheduler;
  /** How many DMAs found no mapping: faults of the IOMMU. */
  faults = 0;
  /** @internal */
  era = 0;
  readonly #key: () => Uint8Array;
  readonly #witness: Witness | undefined;
  readonly #attachments = new Set<DeviceAttachment>();
  /** Windows that are taken, those of files that are being attached included. */
  readonly #windows = new Set<PageRange>();
  #state: DeviceState = 'unlocked';
  #cipher: PageCipher;
  #tornDown: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** @throws MemfileError EINVAL for a bad option, or a key of the wrong kind. */
  constructor(options: EncryptedDeviceOptions = {}) {
    checkDeviceOptions(options);
    const { name = 'device', limit = DMA_ENTRY_LIMIT, pins = false, access = 'both' } = options;
    this.name = name;
    this.access = access;
    this.pins = pins;
    this.table = new IommuTable(limit);
    this.scheduler = options.scheduler ?? new MicrotaskScheduler();
    this.#witness = options.witness;
    this.#key = options.key ?? (() => randomBytes(KEY_BYTES));
    this.#cipher = new PageCipher(this.#key());
  }

  get state(): DeviceState {
    return this.#state;
  }

  get running(): boolean {
    return this.#state === 'run';
  }

  /** The files that it has a window on. */
  get attachments(): readonly DeviceAttachment[] {
    return [...this.#attachments];
  }

  /** How many pages there was no room for, though they can be used. */
  get turnedAwayPages(): number {
    return this.attachments.reduce((sum, { turnedAwayPages }) => sum + turnedAwayPages, 0);
  }

  /**
   * Gives it a window on a file; in RUN, what is there is mapped when this resolves.
   *
   * Rejects with EINVAL for a bad range or address, EEXIST when the window overlaps another, EBADF
   * after its end, ENOSPC when what is there does not fit into its budget, and as `register`.
   */
  async attach(file: MemoryFile, options: AttachOptions = {}): Promise<DeviceAttachment> {
    if (this.#disposed) throw new MemfileError('EBADF', 'attach', `"${this.name}" is disposed`);
    checkAttachment(file, options);
    const { range, iova = 0 } = options;
    const { start, end } = range ?? { start: 0, end: MAX_PAGES - iova };
    checkRange('attach', start, end);
    const window = { start: iova, end: iova + (end - start) };
    checkRange('attach', window.start, window.end);
    for (const other of this.#windows) {
      if (!overlaps(other, window)) continue;
      const detail = `[${window.start}, ${window.end}) overlaps [${other.start}, ${other.end})`;
      throw new MemfileError('EEXIST', 'attach', detail);
    }
    this.#windows.add(window);
    const place = { range: { start, end }, window };
    try {
      const witness = this.#witness?.consumer(this.name, file);
      const joined = (attachment: DeviceAttachment): void => void this.#attachments.add(attachment);
      return await DeviceAttachment.create(this, file, place, witness, joined);
    } catch (error) {
      this.#windows.delete(window);
      throw error;
    }
  }

  /** UNLOCKED to LOCKED. Rejects with EPERM in another state. */
  async lock(): Promise<void> {
    this.#expect('lock', 'unlocked');
    this.#state = 'locked';
  }

  /**
   * LOCKED to RUN: maps what is there, and allows DMA. Rejects with EPERM in another state; with
   * ENOSPC when the budget is too small: then it is LOCKED, and has nothing mapped; with EAGAIN when
   * it had to leave RUN before all was mapped.
   */
  async start(): Promise<void> {
    this.#expect('start', 'locked');
    await this.#tornDown;
    this.#expect('start', 'locked');
    this.#state = 'run';
    const { era } = this;
    try {
      for (const attachment of this.#attachments) await attachment.mapAll();
      if (this.era !== era) {
        throw new MemfileError('EAGAIN', 'start', `"${this.name}" left RUN before all was mapped`);
      }
    } catch (error) {
      if (this.era === era) await this.#tearDown('locked');
      throw error;
    }
  }

  /** To UNLOCKED from any state: tears every mapping down, and waits for what uses them. */
  async stop(): Promise<void> {
    await this.#tearDown('unlocked');
  }

  /** To ERROR from LOCKED or RUN, as when the host touches its registers. Only `stop` and `reset` lead out. */
  async fail(): Promise<void> {
    this.#expect('fail', 'locked', 'run');
    await this.#tearDown('error');
  }

  /** To UNLOCKED from any state, with a new key. */
  async reset(): Promise<void> {
    await this.#tearDown('unlocked', true);
  }

  /** Takes a new key; from RUN to LOCKED. What it wrote under the old one cannot be read any more. */
  async changeKey(): Promise<void> {
    await this.#tearDown(this.running ? 'locked' : this.#state, true);
  }

  /**
   * Writes by DMA. Pages are read, decrypted, changed, and written back encrypted; the rest of a
   * page that the device never wrote as a whole is noise to it.
   *
   * Rejects with EINVAL for no address or no bytes, EPERM outside RUN, EFAULT where nothing is
   * mapped (`effect` 'partial' when pages before were written), and as `Lease.bytes`.
   */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    if (!(bytes instanceof Uint8Array)) {
      throw new MemfileError('EINVAL', 'write', `bytes must be a Uint8Array, got ${show(bytes)}`);
    }
    const copy = Uint8Array.from(bytes); // The caller's may change while it is in flight.
    await this.#transfer('write', address, copy.length, (plain, from, to, done) => {
      plain.set(copy.subarray(done, done + to - from), from);
      return true;
    });
  }

  /**
   * Reads `length` bytes by DMA, decrypted. Rejects as `write`, and with ENOMEM when there is no
   * memory for so many.
   */
  async read(address: number, length: number): Promise<Uint8Array> {
    if (!isPageCount(length)) throw badAddress('read', address, length);
    const bytes = newBytes(length);
    await this.#transfer('read', address, length, (plain, from, to, done) => {
      bytes.set(plain.subarray(from, to), done);
      return false;
    });
    return bytes;
  }

  /** Tears everything down and leaves every file; it is of no use afterwards (EBADF). */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.#tearDown('unlocked');
    await Promise.all([...this.#attachments].reverse().map((one) => one[Symbol.asyncDispose]()));
  }

  /** @internal */
  left(attachment: DeviceAttachment): void {
    this.#attachments.delete(attachment);
    this.#windows.delete(attachment.window);
  }

  /** Nothing new is mapped or begun from this very step on. */
  async #tearDown(state: DeviceState, newKey = false): Promise<void> {
    this.#state = state;
    this.era++;
    const over = this.attachments.map((attachment) => attachment.unmapAll());
    const before = this.#tornDown;
    const done = Promise.all([before, ...over]).then(() => {
      if (newKey) this.#takeKey();
    });
    this.#tornDown = done.catch(() => {});
    await done;
  }

  #takeKey(): void {
    try {
      this.#cipher = new PageCipher(this.#key());
    } catch (error) {
      this.#state = 'error'; // Never on with the old one.
      throw asMemfileError(error, 'key', `the key source of "${this.name}"`);
    }
  }

  async #transfer(syscall: string, address: number, length: number, touch: Touch): Promise<void> {
    if (!isPageCount(address) || !isPageCount(address + length)) {
      throw badAddress(syscall, address, length);
    }
    this.#expectRun(syscall, 'none');
    for (let done = 0; done < length;) {
      const effect = done > 0 && syscall === 'write' ? 'partial' : 'none';
      this.#expectRun(syscall, effect);
      const page = Math.floor((address + done) / PAGE_SIZE);
      const from = (address + done) % PAGE_SIZE;
      const to = Math.min(PAGE_SIZE, from + length - done);
      const access = this.#access(syscall, effect, page, (plain) => touch(plain, from, to, done));
      try {
        await this.inFlight.track({ start: page, end: page + 1 }, access);
      } catch (error) {
        if (error instanceof MemfileError && error.syscall === syscall) throw error;
        const { code, message } = asMemfileError(error, syscall, `"${this.name}"`);
        throw new MemfileError(code, syscall, message, { effect, cause: error });
      }
      done += to - from;
    }
  }

  /** One page: translated at once; its contents are reached when the DMA comes to them. */
  async #access(
    syscall: string,
    effect: Effect,
    page: number,
    touch: (plain: Uint8Array) => boolean,
  ): Promise<void> {
    const fault = (cause?: unknown): MemfileError => {
      this.faults++;
      const detail = `I/O virtual page ${page} of "${this.name}" is not mapped`;
      return new MemfileError('EFAULT', syscall, detail, { effect, cause });
    };
    const pfn = this.table.translate(page);
    if (pfn < 0) throw fault();
    const attachment = this.#attachmentOf(page)!;
    let lease: Lease;
    try {
      lease = attachment.lookup(page);
    } catch (cause) {
      throw fault(cause); // It was evicted, and does not know yet.
    }
    try {
      await this.scheduler.schedule(`${this.name}: dma to frame ${pfn}`);
      const size = 2 ** lease.order;
      const at = (lease.offset % size) * PAGE_SIZE;
      const frame = lease.bytes().subarray(at, at + PAGE_SIZE);
      const plain = this.#cipher.decrypt(pfn, frame);
      if (touch(plain)) frame.set(this.#cipher.encrypt(pfn, plain));
    } finally {
      attachment.put(lease);
    }
  }

  #attachmentOf(page: number): DeviceAttachment | undefined {
    const at = { start: page, end: page + 1 };
    return this.attachments.find(({ window }) => overlaps(window, at));
  }

  #expectRun(syscall: string, effect: Effect): void {
    if (this.running) return;
    const detail = `"${this.name}" is in state ${this.#state}; DMA needs 'run'`;
    throw new MemfileError('EPERM', syscall, detail, { effect });
  }

  #expect(syscall: string, ...states: readonly DeviceState[]): void {
    if (this.#disposed) throw new MemfileError('EBADF', syscall, `"${this.name}" is disposed`);
    if (states.includes(this.#state)) return;
    const detail = `"${this.name}" is in state ${this.#state}, not ${states.join(' or ')}`;
    throw new MemfileError('EPERM', syscall, detail);
  }
}

function newBytes(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const detail = `no memory for ${length} bytes; read fewer at a time`;
    throw new MemfileError('ENOMEM', 'read', detail, { cause });
  }
}

function badAddress(syscall: string, address: number, length: number): MemfileError {
  const what = `${show(length)} bytes at ${show(address)}`;
  return new MemfileError('EINVAL', syscall, `${what} is no range of addresses`);
}
