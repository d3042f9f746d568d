import { Invalidations } from '../../adapters/invalidations.js';
import type { ConsumerWitness } from '../../adapters/witness.js';
import {
  MemfileError,
  type Access,
  type Lease,
  type MemoryFile,
  type Notifier,
} from '../../core/index.js';
import type { ConsumerSetting, TestedConsumer } from '../kit/index.js';

/** A plain consumer that uses pages by their frames; whatever of it a test makes faulty. */
export class PageUser implements TestedConsumer {
  readonly file: MemoryFile;
  readonly frames = new Map<number, number>();
  readonly invalidations = new Invalidations();
  readonly witness: ConsumerWitness;
  readonly access: Access = 'both';
  #leave: () => Promise<void> = () => Promise.resolve();

  constructor(file: MemoryFile, { witness }: ConsumerSetting) {
    this.file = file;
    this.witness = witness.consumer('page user', file);
  }

  async come(): Promise<this> {
    const { access } = this;
    const registration = await this.file.register(this.notifier(), { access });
    this.witness.registered(registration);
    void registration.closed.then(() => this.frames.clear());
    this.lookup = (page) => registration.lookup(page);
    this.#leave = async () => {
      this.frames.clear();
      this.witness.left();
      await registration.unregister();
    };
    return this;
  }

  notifier(): Notifier {
    return {
      name: 'page user',
      fallocate: (start, end, event) => this.witness.told(event, start, end),
      invalidate: (start, end, event) => {
        this.witness.told(event, start, end);
        this.invalidations.begin(start, end);
        this.drop(start, end);
      },
      invalidateEnd: (start, end, event) => {
        this.witness.told(event, start, end);
        this.invalidations.end();
      },
    };
  }

  async touch(start: number, end: number): Promise<void> {
    await this.file.fallocate(start, end, { keepSize: true, reason: 'fault' });
    for (let page = start; page < end; page++) await this.use(page);
  }

  lookup(_page: number): Lease {
    throw new MemfileError('EBADF', 'lookup', 'it has not come yet');
  }

  async use(page: number): Promise<void> {
    const snapshot = this.invalidations.snapshot();
    try {
      const lease = this.lookup(page);
      this.witness.lookedUp(lease);
      if (!this.invalidations.retry(snapshot, page, page + 1)) this.frames.set(page, lease.pfn);
      this.put(lease);
    } catch (error) {
      if (!(error instanceof MemfileError)) throw error;
    }
  }

  put(lease: Lease): void {
    lease.put();
    this.witness.put(lease);
  }

  drop(start: number, end: number): void {
    for (const page of this.frames.keys())
      if (page >= start && page < end) this.frames.delete(page);
  }

  frameOf(page: number): number | undefined {
    return this.frames.get(page);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#leave();
  }
}
