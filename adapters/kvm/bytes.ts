import { MemfileError, PAGE_SIZE, type PageRange } from '../../core/index.js';

/** Where a 64-bit address wraps. */
const ADDRESS_SPACE = 2 ** 64;

/** @throws MemfileError EINVAL unless `bytes` is a 64-bit number of whole pages. */
export function checkAligned(syscall: string, name: string, bytes: number): void {
  const aligned = bytes >= 0 && bytes < ADDRESS_SPACE && bytes % PAGE_SIZE === 0;
  if (aligned) return;
  const text = `${name} must be a multiple of ${PAGE_SIZE} bytes, got ${String(bytes)}`;
  throw new MemfileError('EINVAL', syscall, text);
}

/**
 * Bytes `[address, address + size)` as pages.
 * @throws MemfileError EINVAL when one of them is not aligned, or when their sum wraps.
 */
export function pagesOf(
  syscall: string,
  names: readonly [address: string, size: string],
  address: number,
  size: number,
): PageRange {
  checkAligned(syscall, names[0], address);
  checkAligned(syscall, names[1], size);
  if (address + size >= ADDRESS_SPACE) {
    throw new MemfileError('EINVAL', syscall, `${names[0]} + ${names[1]} wraps at 2^64`);
  }
  return { start: address / PAGE_SIZE, end: (address + size) / PAGE_SIZE };
}
