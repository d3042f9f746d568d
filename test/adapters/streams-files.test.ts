import fc from 'fast-check';
import { lastValueFrom, Subject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  boundedBuffer,
  coalesceRanges,
  scanPageMap,
  withinRange,
  type Buffered,
} from '../../adapters/streams/index.js';
import { createMemfile, type MemfileError, type PageRange } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const setUp = async (size = 32) => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size, name: 'ram' });
  await file.fallocate(0, 8);
  return { memfile, file };
};

const brief = (item: Buffered): string =>
  item.type === 'snapshot' || item.type === 'merged' || item.type === 'gap'
    ? item.type
    : `${item.type} ${item.start} ${item.end}`;

/** Lets everything that was started go on as far as it can. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** Works on each item until it is told to stop. */
class Worker {
  readonly handed: Buffered[] = [];
  #work: Subject<Buffered> | undefined;
  #item: Buffered | undefined;

  readonly take = (item: Buffered): Subject<Buffered> => {
    this.handed.push(item);
    this.#item = item;
    return (this.#work = new Subject());
  };

  done(): boolean {
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined) return false;
    work.next(this.#item!);
    work.complete();
    return true;
  }
}

describe('streams of a memory file', () => {
  it('scanPageMap follows populated()', async () => {
    const { file } = await setUp();
    let pages: readonly PageRange[] = [];
    const subscription = file
      .notifications$()
      .pipe(scanPageMap())
      .subscribe((now) => (pages = now));
    const operations = [
      () => file.fallocate(4, 12),
      () => file.punchHole(2, 6),
      () => file.truncate(10),
      () => file.fallocate(20, 24, { keepSize: true }),
    ];
    expect(pages).toEqual(file.populated());
    for (const operation of operations) {
      await operation();
      expect(pages).toEqual(file.populated());
    }
    await file.close();
    expect(pages).toEqual([]);
    expect(subscription.closed).toBe(true);
  });

  it('withinRange and coalesceRanges make one of what comes in one turn', async () => {
    const { file } = await setUp();
    await file.fallocate(9, 10);
    const joined: string[] = [];
    file
      .notifications$()
      .pipe(withinRange({ start: 4, end: 14 }), coalesceRanges())
      .subscribe((told) => joined.push(brief(told)));
    // The page between them was there: three stretches, two of which touch.
    await Promise.all([file.fallocate(8, 12), file.fallocate(12, 20)]);
    await settle();
    expect(joined).toEqual(['snapshot', 'fallocate 8 9', 'fallocate 10 14']);
  });

  it('a populate that is refused leaves the map alone, through every operator', async () => {
    const { file } = await setUp();
    const maps: (readonly PageRange[])[] = [];
    const options = { capacity: 1, policy: 'merge' } as const;
    file
      .notifications$()
      .pipe(
        coalesceRanges(),
        boundedBuffer(options, async (item) => item),
        scanPageMap(),
      )
      .subscribe((pages) => maps.push(pages));
    await file.register({
      prepare() {
        throw new Error('no');
      },
    });
    await expect(file.fallocate(6, 12)).rejects.toThrow('no');
    await settle();
    expect(maps).toEqual([[{ start: 0, end: 8 }]]);
    expect(file.populated()).toEqual([{ start: 0, end: 8 }]);
  });

  it('coalesceRanges joins the punches of one turn', async () => {
    const { file } = await setUp();
    const joined: string[] = [];
    file
      .notifications$()
      .pipe(coalesceRanges())
      .subscribe((told) => joined.push(brief(told)));
    let letGo = (): void => {};
    await file.register({
      invalidate: (_start, _end, event) =>
        event.waitUntil(new Promise<void>((resolve) => (letGo = resolve))),
    });
    const punches = [file.punchHole(0, 2)];
    const first = letGo;
    punches.push(file.punchHole(2, 4));
    await settle();
    first();
    letGo();
    await Promise.all(punches);
    await settle();
    expect(joined).toEqual(['snapshot', 'invalidate 0 4', 'invalidateEnd 0 4']);
  });

  it('a slow consumer that merges holds nobody up and ends with the same map', async () => {
    const { file } = await setUp();
    const worker = new Worker();
    let pages: readonly PageRange[] = [];
    file
      .notifications$()
      .pipe(boundedBuffer({ capacity: 2, policy: 'merge' }, worker.take), scanPageMap())
      .subscribe((now) => (pages = now));
    for (let page = 0; page < 30; page += 3) {
      await file.fallocate(page, page + 2);
      await file.punchHole(page + 1, page + 2);
    }
    expect(worker.handed).toHaveLength(1);
    while (worker.done());
    expect(worker.handed.map(brief)).toEqual(['snapshot', 'invalidate 1 2', 'merged']);
    expect(pages).toEqual(file.populated());
  });

  it('a slow consumer that drops is told of the gap, and resyncs by a new registration', async () => {
    const { memfile, file } = await setUp();
    const worker = new Worker();
    let pages: readonly PageRange[] = [];
    const subscription = file
      .notifications$()
      .pipe(boundedBuffer({ capacity: 1, policy: 'drop' }, worker.take), scanPageMap())
      .subscribe((now) => (pages = now));
    await file.fallocate(8, 9);
    const from = memfile.state.position + 1;
    for (let page = 9; page < 20; page++) await file.fallocate(page, page + 1);
    const to = memfile.state.position;
    while (worker.done());
    expect(file.registrations).toBe(1);
    expect(worker.handed.map(brief)).toEqual(['snapshot', 'fallocate 8 9', 'gap', 'snapshot']);
    expect(worker.handed[2]).toEqual({ type: 'gap', missed: 11, from, to });
    expect(pages).toEqual(file.populated());
    await file.punchHole(0, 4);
    while (worker.done());
    expect(pages).toEqual(file.populated());
    subscription.unsubscribe();
    expect(file.registrations).toBe(0);
  });

  it('a slow consumer that drops completes when its file closes before it could resync', async () => {
    const { file } = await setUp();
    const worker = new Worker();
    const over = lastValueFrom(
      file
        .notifications$()
        .pipe(boundedBuffer({ capacity: 1, policy: 'drop' }, worker.take), toArray()),
    );
    await file.fallocate(8, 9);
    await file.fallocate(9, 10);
    let letGo = (): void => {};
    await file.register({
      invalidate: (_start, _end, event) =>
        event.waitUntil(new Promise<void>((resolve) => (letGo = resolve))),
    });
    const closed = file.close();
    while (worker.done());
    letGo();
    await closed;
    expect((await over).map(brief)).toEqual(['snapshot', 'fallocate 8 9', 'gap']);
  });

  it('a slow consumer that fails is unregistered at once', async () => {
    const { file } = await setUp();
    const worker = new Worker();
    const errors: MemfileError[] = [];
    file
      .notifications$()
      .pipe(boundedBuffer({ capacity: 1, policy: 'fail' }, worker.take))
      .subscribe({ error: (error: MemfileError) => errors.push(error) });
    await file.fallocate(8, 9);
    expect(file.registrations).toBe(1);
    await file.fallocate(9, 10);
    expect(errors).toMatchObject([{ code: 'ENOBUFS', syscall: 'boundedBuffer' }]);
    expect(file.registrations).toBe(0);
  });

  it('no operator takes part: none can hold an operation up, or fail one', async () => {
    const { memfile, file } = await setUp();
    const codes: string[] = [];
    const source = file.notifications$();
    const wait = (told: Buffered): void => {
      if (!('waitUntil' in told)) return;
      try {
        told.waitUntil(new Promise(() => {}));
      } catch (error) {
        codes.push((error as MemfileError).code);
      }
    };
    source.pipe(withinRange({ start: 0, end: 4 })).subscribe(wait);
    source.pipe(coalesceRanges()).subscribe(wait);
    const options = { capacity: 1, policy: 'merge' } as const;
    source.pipe(boundedBuffer(options, async (item) => wait(item))).subscribe();
    const refused: unknown[] = [];
    source
      .pipe(
        boundedBuffer(options, async (item) => {
          if (item.type !== 'snapshot') throw new Error('this consumer fails');
        }),
      )
      .subscribe({ error: (error: Error) => refused.push(error.message) });
    await settle();
    await file.punchHole(0, 2);
    await settle();
    expect(codes).toEqual(['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL']);
    expect(refused).toEqual(['this consumer fails']);
    expect(memfile.state.quarantined).toEqual([]);
    expect(file.registrations).toBe(3);
  });

  it('random operations and a consumer of random pace: the map is that of the file', async () => {
    const operation = fc.record({
      what: fc.constantFrom('fallocate', 'punchHole', 'truncate'),
      start: fc.nat(30),
      length: fc.integer({ min: 1, max: 8 }),
      done: fc.nat(2),
      wait: fc.boolean(),
    });
    const policy = fc.constantFrom('merge', 'drop');
    await fc.assert(
      fc.asyncProperty(fc.array(operation), policy, fc.integer({ min: 1, max: 4 }), run),
      { seed: 20220118, numRuns: 300 },
    );
    async function run(
      operations: readonly (typeof operation extends fc.Arbitrary<infer T> ? T : never)[],
      policy: 'merge' | 'drop',
      capacity: number,
    ): Promise<void> {
      const { memfile, file } = await setUp();
      const worker = new Worker();
      let pages: readonly PageRange[] = [];
      file
        .notifications$()
        .pipe(coalesceRanges(), boundedBuffer({ capacity, policy }, worker.take), scanPageMap())
        .subscribe((now) => (pages = now));
      const under: Promise<void>[] = [];
      for (const { what, start, length, done, wait } of operations) {
        const promise =
          what === 'truncate' ? file.truncate(start) : file[what](start, start + length);
        under.push(promise);
        if (wait) await promise;
        for (let n = 0; n < done; n++) worker.done();
      }
      await Promise.all(under);
      await settle();
      // Resyncing takes a turn, after which there may be more to be done with.
      while (worker.done()) await settle();
      expect(pages).toEqual(file.populated());
      await memfile[Symbol.asyncDispose]();
    }
  });
});
