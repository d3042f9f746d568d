import type { MemoryFile } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

/** Maps pages for a device; fails for the third page. */
interface Device {
  readonly mapped: Set<number>;
  map(start: number): void;
  unmap(start: number): void;
}

type Join = (file: MemoryFile, device: Device) => Promise<unknown>;

export default exhibit<Join, { readonly device: Device; readonly join: () => Promise<void> }>({
  law: 8,
  says: 'a device that was refused still has pages mapped',
  source: 'OpenVMM membacking/region_manager.rs: add_dma_mapper',
  history: [
    'A new DMA target is given every mapping that is there, one after the other.',
    'When one fails the error is returned, and the ones before it stay mapped for the device.',
    'Here what was agreed to is rolled back in reverse before register rejects.',
  ],
  faulty: async (file, device) => {
    for (const { start } of file.populated()) device.map(start);
  },
  ours: (file, device) => {
    const prepare = (start: number): void => device.map(start);
    const rollback = (start: number): void => device.unmap(start);
    return file.register({ prepare, rollback }, { replay: true });
  },
  setUp: async (stage, join) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 1);
    await file.fallocate(2, 3);
    const mapped = new Set<number>();
    const device: Device = {
      mapped,
      map: (start) => {
        if (start === 2) throw new Error('no space left on device');
        mapped.add(start);
      },
      unmap: (start) => void mapped.delete(start),
    };
    const refused = (): void => {
      if (mapped.size > 0) stage.breaks(8, `the device was refused and has page ${[...mapped]}`);
    };
    return { device, join: () => join(file, device).then(() => {}, refused) };
  },
  threads: { device: { 'add it': ({ join }) => join() } },
});
