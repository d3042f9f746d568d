// A reactive consumer of one range: slower than what it follows, and with bounded memory.
import { setImmediate as nextFrame } from 'node:timers/promises';
import { lastValueFrom, tap } from 'rxjs';
import { createMemfile, type MemoryFile, type PageRange } from 'memfile';
import { shmem } from 'memfile/plugins/shmem';
import { boundedBuffer, coalesceRanges, scanPageMap, type Buffered } from 'memfile/streams';

/** Draws one item a frame, however many come. */
async function draw(item: Buffered<'merge'>): Promise<Buffered<'merge'>> {
  const what = item.type === 'merged' ? `${item.notifications} merged into one` : item.type;
  console.log(`draw: ${what}, as of event ${item.position}`);
  await nextFrame();
  return item;
}

function watch(file: MemoryFile, range: PageRange): AsyncDisposable {
  const leave = new AbortController();
  const maps = file.notifications$({ range, signal: leave.signal }).pipe(
    coalesceRanges(),
    boundedBuffer({ capacity: 2, policy: 'merge' }, draw),
    scanPageMap(),
    tap((pages) => console.log('pages:', ...pages.map(({ start, end }) => `[${start}, ${end})`))),
  );
  const over = lastValueFrom(maps);
  return {
    async [Symbol.asyncDispose]() {
      leave.abort(); // Nothing more comes; what waits is still drawn.
      await over;
      console.log('watch: over');
    },
  };
}

await using memfile = createMemfile({ plugins: [shmem()] });
const ram = memfile.createFile('shmem', { size: 64, name: 'ram' });
await ram.fallocate(0, 16);
{
  await using _watch = watch(ram, { start: 8, end: 32 });
  for (let page = 10; page < 40; page += 4) await ram.fallocate(page, page + 2);
  await ram.punchHole(0, 12);
  console.log('ram: all done at event', memfile.state.position);
}
console.log('ram: consumers left:', ram.registrations);
await ram.punchHole(12, 64);
