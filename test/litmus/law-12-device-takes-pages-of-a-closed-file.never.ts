import { device } from '../museum/device.js';
import { litmus } from '../explore/index.js';

export default litmus({
  law: 12,
  says: 'a store takes a page away after its file has been closed, and a consumer hears of it',
  setUp: async (stage) => {
    const memory = device();
    const file = stage.file('ram', 1, memory.store);
    await file.fallocate(0, 1);
    const consumer = await stage.listen(file, 'consumer', { slow: ['invalidate'] });
    return { memory, file, consumer, heard: Infinity };
  },
  threads: {
    device: { revoke: ({ memory }) => memory.host.invalidate({ start: 0, end: 1 }) },
    closer: {
      close: async (world) => {
        await world.file.close();
        world.heard = world.consumer.heard.length;
      },
    },
  },
  seen: ({ consumer, heard, file }) => consumer.heard.length > heard || file.populated().length > 0,
});
