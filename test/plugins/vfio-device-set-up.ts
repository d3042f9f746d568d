import { createMemfile, type MemoryFile, type NotifierEvent } from '../../core/index.js';
import { vfioDevice, type VfioDeviceOptions } from '../../plugins/vfio-device/index.js';

export const BAR = { pfn: 0x1000, pages: 16 };

export const setUp = (options: Partial<VfioDeviceOptions> = {}) => {
  const device = vfioDevice({ bars: [BAR, undefined, { pfn: 0x8004, pages: 8 }], ...options });
  const memfile = createMemfile({ plugins: [device] });
  const file = memfile.createFile('vfio-device', { size: 16, region: 0, name: 'bar 0' });
  return { device, memfile, file };
};

/** A consumer that writes down what it is told. */
export async function follow(file: MemoryFile, follows?: 'revocable' | 'movable') {
  const told: string[] = [];
  const say = (type: string) => (start: number, end: number, event: NotifierEvent) =>
    void told.push(`${type} ${start} ${end} ${event.reason}`);
  const registration = await file.register(
    { name: 'dma', fallocate: say('came'), invalidate: say('leaves'), invalidateEnd: say('left') },
    { follows },
  );
  return { told, registration };
}

export const LEFT = ['leaves 0 16 device', 'left 0 16 device'];
export const CAME = ['came 0 16 device'];
