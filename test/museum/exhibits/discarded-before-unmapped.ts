import type { Stage } from '../../explore/index.js';
import { device, type Device } from '../device.js';
import { exhibit } from '../exhibit.js';

type Unplug = (stage: Stage, device: Device) => Promise<unknown>;

export default exhibit<Unplug, Record<'unplug' | 'reuse', () => unknown>>({
  law: 4,
  says: 'memory is given to somebody else while a device can still write to it',
  source: 'QEMU virtio-mem and cloud-hypervisor virtio-devices/src/mem.rs',
  history: [
    'Unplugging discarded the memory first, and told VFIO to unmap it afterwards.',
    'In between, a device writes to frames that are somebody else’s by now.',
    'Here the pages are freed when every consumer has let go of them.',
  ],
  faulty: async (stage, { discard, host }) => {
    discard(0, 1);
    await stage.gate('VFIO is told');
    await host.invalidate({ start: 0, end: 1 });
  },
  ours: (_stage, { host }) => host.invalidate({ start: 0, end: 1 }),
  setUp: async (stage, unplug) => {
    const memory = device();
    const file = stage.file('ram', 1, memory.store);
    const other = stage.file('other', 1, memory.store);
    await file.fallocate(0, 1);
    const vfio = await stage.listen(file, 'vfio', { slow: ['invalidate'] });
    const guest = await stage.listen(other, 'guest');
    vfio.lookup(0);
    vfio.put();
    const reuse = async (): Promise<void> => {
      await other.fallocate(0, 1);
      guest.lookup(0);
      guest.put();
    };
    return { unplug: () => unplug(stage, memory), reuse };
  },
  threads: {
    vmm: { 'unplug the page': ({ unplug }) => unplug() },
    other: { 'allocate and look it up': ({ reuse }) => reuse() },
  },
});
