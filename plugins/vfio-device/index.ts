import { MemfileError, type Movement } from '../../core/index.js';
import { brand } from '../../core/copy.js';
import { show } from '../../core/errno.js';
import { checkBars, type BarOptions } from './bar.js';
import { VfioDevice } from './device.js';

export type { BarOptions, BarRange } from './bar.js';
export { deviceEvents, type DeviceEvent, type DeviceMemory } from './events.js';
export type { RegionOptions, VfioDevice } from './device.js';

export interface VfioDeviceOptions {
  /** By region number, 0 to 5; not every number needs to have one. */
  readonly bars: readonly (BarOptions | undefined)[];
  /** Whether its memory is enabled from the start; true by default. */
  readonly enabled?: boolean | undefined;
  /**
   * What its pages may do; 'revocable' by default: they leave when the device is revoked or reset,
   * and the same frames come back. The pages of a 'pinned' device stay: it refuses to be revoked.
   * The BARs of a 'movable' one can also be relocated.
   */
  readonly movement?: Movement | undefined;
}

/**
 * The memory of a device, after drivers/vfio/pci/vfio_pci_dmabuf.c: files are parts of a BAR, and
 * every page of them is there for as long as the device is enabled. Nothing is allocated on demand;
 * callers can neither allocate nor punch (EOPNOTSUPP), nor change the size (EINVAL).
 *
 * Consumers that follow 'pinned' pages only are not let in, unless the device is declared so.
 * A lookup of a revoked page is ENODEV, past the region EINVAL. Frames are not counted: a lease is
 * stale once the pages have left, even when they are back.
 *
 * `revoke`, `enable`, `reset` and `relocate` are methods of the store, which is called 'vfio-device'
 * unless it is given a `name`:
 *
 * @example
 * const gpu = vfioDevice({ bars: [{ pfn: 0xfe000, pages: 16 }] });
 * const memfile = createMemfile({ plugins: [gpu] });
 * const bar = memfile.createFile('vfio-device', { size: 16, region: 0 });
 * await gpu.reset();
 *
 * @throws MemfileError EINVAL for what are no BARs, BARs that overlap, or a bad option; EOVERFLOW
 * when one ends past the last address.
 */
export function vfioDevice<const Name extends string>(
  options: VfioDeviceOptions & { readonly name: Name },
): VfioDevice<Name>;
export function vfioDevice(options: VfioDeviceOptions): VfioDevice<'vfio-device'>;
export function vfioDevice(
  options: VfioDeviceOptions & { readonly name?: string | undefined },
): VfioDevice {
  const { name = 'vfio-device', bars, enabled = true, movement = 'revocable' } = options ?? {};
  if (!['pinned', 'revocable', 'movable'].includes(movement)) {
    const what = `movement must be 'pinned', 'revocable' or 'movable', got ${show(movement)}`;
    throw new MemfileError('EINVAL', 'vfioDevice', what);
  }
  if (typeof name !== 'string') {
    throw new MemfileError('EINVAL', 'vfioDevice', `name must be a string, got ${show(name)}`);
  }
  if (typeof enabled !== 'boolean') {
    throw new MemfileError(
      'EINVAL',
      'vfioDevice',
      `enabled must be a boolean, got ${show(enabled)}`,
    );
  }
  return brand(new VfioDevice(name, checkBars(bars), movement, enabled));
}
