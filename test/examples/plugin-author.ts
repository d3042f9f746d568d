// A plugin author's smallest store and smallest consumer.
import { createMemfile, type BackingStore, type Notifier, type PfnRun } from 'memfile';

/** A store whose frames are numbers counted up: each page gets the next, none is used twice. */
function counter(): BackingStore<'counter'> {
  let next = 100;
  return {
    name: 'counter',
    createFile() {
      const frames = new Map<number, number>();
      return {
        allocate(start, end) {
          const runs: PfnRun[] = [];
          for (let page = start; page < end; page++) {
            if (frames.has(page)) continue;
            runs.push({ start: page, end: page + 1, pfn: next });
            frames.set(page, next++);
          }
          return { runs };
        },
        free(start, end) {
          for (let page = start; page < end; page++) frames.delete(page);
        },
        getLockPfn: (offset) => ({ pfn: frames.get(offset)!, order: 0 }),
        putUnlockPfn() {},
      };
    },
  };
}

/** A consumer that says what it is told. */
const device: Notifier = {
  name: 'device',
  fallocate: (start, end) => console.log(`device: [${start}, ${end}) came`),
  invalidate: async (start, end, event) => {
    console.log(`device: [${start}, ${end}) is leaving, by ${event.reason}`);
    await Promise.resolve(); // A flush, say; the punch waits for it.
    console.log('device: flushed');
  },
  invalidateEnd: (start, end) => console.log(`device: [${start}, ${end}) is gone`),
};

await using memfile = createMemfile({ plugins: [counter()] });
const file = memfile.createFile('counter', { size: 16 });
await using registration = await file.register(device, { range: { start: 4, end: 12 } });

await file.fallocate(0, 8);
using lease = registration.lookup(5);
console.log(`page 5 is frame ${lease.pfn}`);
await file.punchHole(6, 16);
await file.fallocate(6, 7);
using again = registration.lookup(6);
console.log(`page 6 is frame ${again.pfn}, not one that was used before`);
