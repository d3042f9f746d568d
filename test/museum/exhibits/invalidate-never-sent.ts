import { device, type Device } from '../device.js';
import { exhibit } from '../exhibit.js';

type Reclaim = (device: Device) => unknown;

export default exhibit<Reclaim, Record<'reclaim' | 'reuse', () => unknown>>({
  law: 4,
  says: 'a page is discarded, its frame used again, and nobody was told',
  source: 'firecracker pull requests 4988 and 5021',
  history: [
    'The balloon discarded guest memory, and the REMOVE event was never delivered.',
    'The handler of the tests was broken as well, and nobody noticed: it never got one.',
    'Here a store takes pages away through its host, which tells every consumer first.',
  ],
  faulty: (balloon) => balloon.discard(0, 1),
  ours: (balloon) => balloon.host.invalidate({ start: 0, end: 1 }),
  setUp: async (stage, reclaim) => {
    const balloon = device();
    const file = stage.file('ram', 1, balloon.store);
    const other = stage.file('other', 1, balloon.store);
    await file.fallocate(0, 1);
    const handler = await stage.listen(file, 'handler');
    const guest = await stage.listen(other, 'guest');
    handler.lookup(0);
    handler.put();
    const reuse = async (): Promise<void> => {
      await other.fallocate(0, 1);
      guest.lookup(0);
      guest.put();
    };
    return { reclaim: () => reclaim(balloon), reuse };
  },
  threads: {
    balloon: { 'reclaim the page': ({ reclaim }) => reclaim() },
    other: { 'allocate and look it up': ({ reuse }) => reuse() },
  },
});
