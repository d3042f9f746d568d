import { MemfileError, type MemoryFile } from '../../core/index.js';
import { EncryptedDevice, type DeviceAttachment } from '../encrypted-device/index.js';
import type { Witness } from '../witness.js';

/**
 * What became of the mappings of a device that was attached to every file of a trace. What it has
 * `now` is as of the last action that did more than unmap and close, as processes do at their end.
 */
export interface DeviceReport {
  readonly mappings: { readonly now: number; readonly peak: number; readonly budget: number };
  readonly pages: { readonly now: number; readonly peak: number };
  /** Mappings that were cut in two, and pages unmapped because there was no room to. */
  readonly splits: number;
  readonly droppedPages: number;
  /** How often pages did not arrive, because the device had no room for them. */
  readonly refusals: number;
}

/** Pages of a file that the device can have at most: 1 TiB. */
const WINDOW = 2 ** 28;

/** The name of the device. */
export const DEVICE = 'device';

/** An encrypted device with every file of a trace in its IOMMU, one window each. */
export class DeviceRun {
  readonly #device: EncryptedDevice;
  readonly #attachments = new Map<MemoryFile, DeviceAttachment>();
  #refusals = 0;
  #now = { entries: 0, pages: 0 };

  private constructor(device: EncryptedDevice) {
    this.#device = device;
  }

  static async create(limit: number, witness: Witness): Promise<DeviceRun> {
    const device = new EncryptedDevice({ name: DEVICE, limit, witness });
    await device.lock();
    await device.start();
    return new DeviceRun(device);
  }

  async attach(file: MemoryFile): Promise<void> {
    const range = { start: 0, end: WINDOW };
    const iova = this.#attachments.size * WINDOW;
    this.#attachments.set(file, await this.#device.attach(file, { range, iova }));
  }

  /** Whether it was the device that refused pages; counts it. */
  refused(error: unknown): boolean {
    const byDevice = error instanceof MemfileError && error.refused?.consumer === DEVICE;
    if (byDevice) this.#refusals++;
    return byDevice;
  }

  /** How many mappings of its pages the device lost. */
  zapped(file: MemoryFile): number {
    return this.#attachments.get(file)?.zappedPages ?? 0;
  }

  /** On each file, under one name. */
  get attachments(): readonly DeviceAttachment[] {
    return [...this.#attachments.values()];
  }

  /** Takes note of what it has now. */
  measure(): void {
    const { entries, pages } = this.#device.table;
    this.#now = { entries, pages };
  }

  report(): DeviceReport {
    const { peak, limit, peakPages, splits, droppedPages } = this.#device.table;
    const { entries, pages } = this.#now;
    return {
      mappings: { now: entries, peak, budget: limit },
      pages: { now: pages, peak: peakPages },
      splits,
      droppedPages,
      refusals: this.#refusals,
    };
  }
}
