import { createMemfile, Scheduler, type PageRange } from '../../../core/index.js';
import {
  EncryptedDevice,
  type EncryptedDeviceOptions,
} from '../../../adapters/encrypted-device/index.js';
import { shmem } from '../../../plugins/shmem/index.js';

/** Bytes of a page. */
export const PAGE = 4096;

/** Keys that tests can repeat: each call gives another. */
export function keys(seed = 1): () => Uint8Array {
  let next = seed;
  return () => {
    const first = next;
    next += 64;
    return Uint8Array.from({ length: 64 }, (_, i) => (first + i * 7) % 256);
  };
}

/** Holds back what is scheduled while it is `held`, until a test lets it go, by its label. */
export class Gate extends Scheduler {
  held = false;
  readonly waiting: { readonly label: string; readonly go: () => void }[] = [];

  schedule(label: string): Promise<void> {
    if (!this.held) return Promise.resolve();
    return new Promise((go) => this.waiting.push({ label, go }));
  }

  get labels(): string[] {
    return this.waiting.map(({ label }) => label);
  }

  /** Lets go of everything whose label contains `part`. */
  release(part = ''): void {
    for (const one of this.waiting.filter(({ label }) => label.includes(part))) {
      this.waiting.splice(this.waiting.indexOf(one), 1);
      one.go();
    }
  }
}

/** A file of 16 pages and a device in RUN with a window on it. */
export async function setUp(options: EncryptedDeviceOptions = {}, range?: PageRange) {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  const gate = new Gate();
  const device = new EncryptedDevice({ key: keys(), scheduler: gate, ...options });
  await device.lock();
  await device.start();
  const attachment = await device.attach(file, { range });
  const watcher = await file.register({ name: 'watcher' });
  /** What everybody else sees in a page. */
  const contents = (page: number): Uint8Array => {
    using lease = watcher.lookup(page);
    return Uint8Array.from(lease.bytes());
  };
  return { memfile, file, gate, device, attachment, watcher, contents };
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytes = (words: string): Uint8Array => Buffer.from(words, 'latin1');
