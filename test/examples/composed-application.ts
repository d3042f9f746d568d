// An application composed by dependency injection: two stores, and a consumer of its own.
import 'reflect-metadata'; // tsyringe asks for it before anything else.
import { inject, injectable } from 'tsyringe';
import { createMemfile, type MemoryFile, type PageRange } from 'memfile';
// Not `import type`: the compiler writes the types of constructors down for tsyringe.
import { Journal, MemoryFiles } from 'memfile';
import { shmem } from 'memfile/plugins/shmem';

const RAM_PAGES = Symbol('how large the RAM of a machine is');

/** A service of the application: by the types of its constructor and by a token. */
@injectable()
class Machine {
  readonly ram: MemoryFile;
  readonly video: MemoryFile;

  constructor(files: MemoryFiles, @inject(RAM_PAGES) size: number) {
    this.ram = files.create('normal', { size, name: 'ram' });
    this.video = files.create('small', { size: 4, name: 'video' });
  }
}

/** A consumer of the application: a cache of what is in pages, emptied when they leave. */
@injectable()
class PageCache implements AsyncDisposable {
  readonly #cached = new Set<number>();
  readonly #machine: Machine;
  readonly #journal: Journal;
  readonly #leave = new AbortController();

  constructor(machine: Machine, journal: Journal) {
    this.#machine = machine;
    this.#journal = journal;
  }

  async start(): Promise<void> {
    const { ram, video } = this.#machine;
    const invalidate = (start: number, end: number): void => this.#drop({ start, end });
    const { signal } = this.#leave;
    await ram.register({ name: 'cache of ram', invalidate }, { signal });
    await video.register({ name: 'cache of video' }, { signal });
  }

  read(page: number): void {
    this.#cached.add(page);
  }

  #drop({ start, end }: PageRange): void {
    for (let page = start; page < end; page++) this.#cached.delete(page);
    console.log(`cache: dropped [${start}, ${end}), holds [${[...this.#cached].join(', ')}]`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave.abort();
    console.log(`cache: left at event ${this.#journal.position}`);
  }
}

await using memfile = createMemfile({
  plugins: [
    { ...shmem(), name: 'normal' },
    { ...shmem({ quota: 2 }), name: 'small' },
  ],
});
memfile.container.register(RAM_PAGES, { useValue: 8 });
memfile.container.registerSingleton(Machine).registerSingleton(PageCache);
await using cache = memfile.container.resolve(PageCache);
const { ram, video } = memfile.container.resolve(Machine);
await cache.start();

await ram.fallocate(0, 8);
for (const page of [1, 3, 5]) cache.read(page);
await ram.punchHole(2, 4);
console.log('ram', ram.populated());
await video.fallocate(0, 3).catch((error: Error) => console.log(error.message));
console.log('video', video.populated());
