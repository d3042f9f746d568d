import { MemfileError, PAGE_SIZE, type PageRange, type PfnRun } from '../../core/index.js';

/** A base address register: pages of device memory that lie side by side. */
export interface BarOptions {
  /** The frame of its first page: its address in the machine. */
  readonly pfn: number;
  /** How large it is, in pages. */
  readonly pages: number;
  /** What it holds, `pages` * 4096 bytes, not copied; without it the device shows no contents. */
  readonly contents?: Uint8Array | undefined;
}

/** A part of a BAR, `struct vfio_region_dma_range`; both in pages. */
export interface BarRange {
  readonly offset: number;
  readonly length: number;
}

export interface Bar extends BarOptions {
  pfn: number;
}

/** VFIO_PCI_ROM_REGION_INDEX: the regions below are BARs. */
const ROM_REGION = 6;

/** Addresses have 64 bits, frame numbers 52. */
const FRAMES = 2 ** 52;

/** @throws MemfileError EINVAL for what are no BARs, EOVERFLOW past the last address. */
export function checkBars(bars: readonly (BarOptions | undefined)[]): (Bar | undefined)[] {
  const refuse = (detail: string): never => refused('EINVAL', 'vfioDevice', detail);
  if (!Array.isArray(bars)) refuse('needs { bars: [...] }');
  if (bars.length > ROM_REGION) refuse(`a device has ${ROM_REGION} BARs, got ${bars.length}`);
  const checked: (Bar | undefined)[] = [];
  for (const [region, bar] of bars.entries()) {
    if (bar !== undefined) {
      const { pfn, pages, contents } = bar ?? {};
      if (!isCount(pages) || pages === 0) refuse(`BAR ${region} has ${String(pages)} pages`);
      checkPlace('vfioDevice', region, { pfn, pages }, checked);
      if (contents !== undefined && !(contents instanceof Uint8Array)) {
        refuse(`the contents of BAR ${region} are no Uint8Array`);
      }
      if (contents !== undefined && contents.length !== pages * PAGE_SIZE) {
        refuse(`BAR ${region} has ${pages} pages, and ${contents.length} bytes of contents`);
      }
    }
    checked.push(bar && { ...bar });
  }
  return checked;
}

/** @throws MemfileError EINVAL for no frame, or one of another BAR; EOVERFLOW past the last one. */
export function checkPlace(
  syscall: string,
  region: number,
  { pfn, pages }: BarOptions,
  others: readonly (BarOptions | undefined)[],
): void {
  if (!isCount(pfn)) refused('EINVAL', syscall, `BAR ${region} cannot be at ${String(pfn)}`);
  if (pfn + pages > FRAMES) {
    refused('EOVERFLOW', syscall, `BAR ${region} ends past the last frame, 2^52`);
  }
  const first = others.findIndex(
    (other, at) =>
      at !== region &&
      other !== undefined &&
      other.pfn < pfn + pages &&
      pfn < other.pfn + other.pages,
  );
  if (first >= 0) refused('EINVAL', syscall, `BARs ${first} and ${region} overlap`);
}

/** @throws MemfileError EINVAL for no region number; ENODEV when it is no BAR of the device. */
export function barAt<B extends BarOptions>(
  syscall: string,
  bars: readonly (B | undefined)[],
  region: number,
): B {
  if (!isCount(region))
    refused('EINVAL', syscall, `region must be a number, got ${String(region)}`);
  const bar = region < ROM_REGION ? bars[region] : undefined;
  return bar ?? refused('ENODEV', syscall, `the device has no BAR ${region}`);
}

/**
 * The ranges of a BAR as `[start, end)` of it, in the order given: the rules of
 * VFIO_DEVICE_FEATURE_DMA_BUF (drivers/vfio/pci/vfio_pci_dmabuf.c).
 * @throws MemfileError EINVAL for no range, an empty or odd one, ranges that overlap, lie past the
 * BAR or are not `size` pages in all; EOVERFLOW when one ends past the last address.
 */
export function checkRanges(bar: Bar, ranges: readonly BarRange[], size: number): PageRange[] {
  const refuse = (detail: string): never => refused('EINVAL', 'createFile', detail);
  if (!Array.isArray(ranges) || ranges.length === 0) refuse('needs at least one range of the BAR');
  let sum = 0;
  for (const range of ranges) {
    const { offset, length } = range ?? {};
    if (!isCount(offset)) refuse(`offset must be in whole pages, got ${String(offset)}`);
    if (!isCount(length) || length === 0) refuse(`length must be in pages, got ${String(length)}`);
    sum += length;
  }
  if (sum > FRAMES) refuse('the ranges together are larger than any address');
  const parts: PageRange[] = [];
  for (const { offset, length } of ranges) {
    const end = offset + length;
    if (bar.pfn + end > FRAMES) {
      refused('EOVERFLOW', 'createFile', `page ${offset} of the BAR is past the last address`);
    }
    if (end > bar.pages) refuse(`page ${end - 1} is past the BAR, which has ${bar.pages} pages`);
    if (parts.some((part) => part.start < end && offset < part.end)) refuse('ranges overlap');
    parts.push({ start: offset, end });
  }
  if (sum !== size) refuse(`the ranges have ${sum} pages, and the size is ${size}`);
  return parts;
}

/** The pages `[start, end)` of a file that consists of these parts of a BAR, and their frames. */
export function framesOf(parts: readonly PageRange[], base: number, within: PageRange): PfnRun[] {
  const runs: PfnRun[] = [];
  let at = 0;
  for (const part of parts) {
    const start = Math.max(at, within.start);
    const end = Math.min(at + (part.end - part.start), within.end);
    if (start < end) runs.push({ start, end, pfn: base + part.start + (start - at) });
    at += part.end - part.start;
  }
  return runs;
}

/** Also for numbers that are too large to be exact: they are past everything. */
function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function refused(code: 'EINVAL' | 'ENODEV' | 'EOVERFLOW', syscall: string, detail: string): never {
  throw new MemfileError(code, syscall, detail);
}
