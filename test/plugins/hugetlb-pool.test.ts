import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  type Lease,
  type Memfile,
  type MemfileError,
  type MemoryFile,
  type Registration,
} from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { HUGE, PoolModel } from './hugetlb-model.js';
import { prefix, taken, twice } from './reopening.js';

/** Set MEMFILE_SEED and MEMFILE_RUNS to look further, or to repeat what a failure printed. */
const SEED = Number(process.env['MEMFILE_SEED'] ?? 20220118);
const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 150);

/** Large enough for two huge pages too many, and often a border of huge pages. */
const PLACES = 4;
const page = fc.oneof(
  fc.nat(PLACES).map((place) => place * HUGE),
  fc.nat(PLACES * HUGE),
);
const range = fc
  .tuple(page, page)
  .map(([a, b]) => (a < b ? ([a, b] as const) : ([b, a + 1] as const)));
const which = fc.nat(2);
const hugePages = fc.nat(8);

const step = fc.oneof(
  fc.record({
    type: fc.constant('create' as const),
    places: fc.nat(PLACES),
    reserve: fc.boolean(),
  }),
  fc.record({ type: fc.constant('fallocate' as const), which, range, refuse: fc.boolean() }),
  fc.record({
    type: fc.constant('vote' as const),
    which,
    range,
    refuse: fc.boolean(),
    resize: hugePages,
  }),
  fc.record({ type: fc.constant('punch' as const), which, range, fail: fc.nat(5) }),
  fc.record({ type: fc.constant('truncate' as const), which, pages: page }),
  fc.record({ type: fc.constant('close' as const), which }),
  fc.record({
    type: fc.constant('write' as const),
    which,
    at: page,
    value: fc.integer({ min: 1, max: 255 }),
    hold: fc.boolean(),
  }),
  fc.record({ type: fc.constant('put' as const), which: fc.nat(9) }),
  fc.record({ type: fc.constant('resize' as const), hugePages }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class World {
  readonly store;
  readonly memfile;
  readonly model: PoolModel;
  readonly #files: { readonly file: MemoryFile; readonly consumer: Registration }[] = [];
  readonly #leases: Lease[] = [];
  /** What the consumers do when they are asked or told next. */
  #vote = async (): Promise<void> => {};
  #fails = false;

  constructor(pool: number) {
    this.store = hugetlb({ pool });
    this.memfile = createMemfile({ plugins: [this.store] });
    this.model = new PoolModel(pool);
  }

  async take(step: Step): Promise<void> {
    const { model, store } = this;
    if (step.type === 'create') return this.#create(step.places, step.reserve);
    if (step.type === 'resize') {
      store.resizePool(step.hugePages);
      model.size = step.hugePages;
      return undefined;
    }
    if (step.type === 'put') return this.#put(step.which);
    const target = this.#files[step.which % this.#files.length];
    if (target === undefined) return undefined;
    const { file, consumer } = target;
    switch (step.type) {
      case 'fallocate':
      case 'vote': {
        const [start, end] = step.range;
        const { added, all } = model.fallocate(file.id, start, end);
        this.#vote = async () => {
          if (step.type === 'vote') {
            await Promise.resolve();
            store.resizePool(step.resize);
            model.size = step.resize;
            this.#compareCounters();
          }
          if (step.refuse) throw new Error('no');
        };
        const error = await failure(file.fallocate(start, end));
        this.#vote = async () => {};
        const undone = step.refuse && added.length > 0;
        if (undone) model.undo(file.id, added);
        const expected = undone
          ? ['EBUSY', 'none']
          : [all ? undefined : 'ENOSPC', added.length > 0 ? 'partial' : 'none'];
        if (undone || !all) expect([error?.code, error?.effect]).toEqual(expected);
        else expect(error).toBeUndefined();
        return undefined;
      }
      case 'punch': {
        const [start, end] = step.range;
        this.#fails = step.fail === 0;
        const error = await failure(file.punchHole(start, end));
        expect(error?.code).toBe(this.#fails ? 'EIO' : undefined);
        model.punch(file.id, start, end, this.#fails);
        this.#fails = false;
        return undefined;
      }
      case 'truncate': {
        const error = await failure(file.truncate(step.pages));
        if (step.pages % HUGE === 0) model.truncate(file.id, step.pages);
        expect(error?.code).toBe(step.pages % HUGE === 0 ? undefined : 'EINVAL');
        return undefined;
      }
      case 'write': {
        const at = Math.floor(step.at / HUGE);
        const place = model.files.get(file.id)!.places[at];
        if (place?.contents === undefined) {
          expect(() => consumer.lookup(step.at)).toThrow('ENOENT');
          return undefined;
        }
        const lease = consumer.lookup(step.at);
        expect(lease.order).toBe(9);
        const bytes = lease.bytes();
        for (let at = 0; at < bytes.length; at += 4096) bytes[at] = step.value;
        place.contents.fill(step.value);
        if (step.hold) {
          place.leases.add(lease);
          this.#leases.push(lease);
        } else lease.put();
        return undefined;
      }
      case 'close':
        this.#files.splice(this.#files.indexOf(target), 1);
        await file.close();
        model.close(file.id);
        return undefined;
    }
  }

  compare(): void {
    const { memfile, model } = this;
    this.#compareCounters();
    for (const { file, consumer } of this.#files) {
      const places = model.populated(file.id);
      const populated = file.populated().flatMap(({ start, end }) => {
        expect([start % HUGE, end % HUGE]).toEqual([0, 0]);
        return Array.from({ length: (end - start) / HUGE }, (_, i) => start / HUGE + i);
      });
      expect(populated).toEqual(places);
      for (const at of places) {
        using lease = consumer.lookup(at * HUGE);
        const bytes = lease.bytes();
        const contents = model.files.get(file.id)!.places[at]!.contents!;
        expect(contents.every((value, i) => bytes[i * 4096] === value)).toBe(true);
      }
    }
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  }

  /** What this leaves is gone on with by a new pool, also when it is cut off anywhere. */
  async reopen(): Promise<void> {
    const { journal } = this.memfile;
    const last = journal.position;
    for (const at of [last, Math.ceil(last * 0.6)]) {
      const store = hugetlb({ pool: 0 });
      const memfile = createMemfile({ plugins: [store], journal: prefix(journal, at) });
      if (at === last) expect(store.poolCounters()).toEqual(this.model.counters);
      const { pool } = memfile.state.plugins.get('hugetlb')!;
      expect(pool).toMatchObject({ ...store.poolCounters() });
      const before = taken(memfile.state);
      const from = memfile.journal.position + 1;
      store.resizePool(40);
      for (const file of memfile.files) await file.fallocate(0, PLACES * HUGE);
      expect(twice(memfile as unknown as Memfile, before, from)).toEqual([]);
      expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
      const { free, reserved } = store.poolCounters();
      expect(reserved).toBe(0);
      for (const file of memfile.files) await file.close();
      const { total, free: after } = store.poolCounters();
      expect(after).toBeGreaterThanOrEqual(free);
      // What is not there then is leased or leaked, and nothing else. A punch of a part that a
      // consumer did not let go of leaves it there; when all of it leaves, that part is leaked.
      const held = new Set([...taken(memfile.state)].map((pfn) => Math.floor(pfn / HUGE)));
      expect(total - after).toBe(held.size);
    }
  }

  #compareCounters(): void {
    const { memfile, model, store } = this;
    expect(store.poolCounters()).toEqual(model.counters);
    expect(memfile.state.plugins.get('hugetlb')).toMatchObject({ pool: model.counters });
  }

  async #create(places: number, reserve: boolean): Promise<void> {
    const { memfile, model } = this;
    const id = memfile.state.lastFile + 1;
    const possible = model.create(id, places, reserve);
    const before = memfile.journal.position;
    try {
      const file = memfile.createFile('hugetlb', { size: places * HUGE, reserve });
      const consumer = await file.register({
        prepare: () => this.#vote(),
        invalidate: () => {
          if (this.#fails) throw new Error('stuck');
        },
      });
      this.#files.push({ file, consumer });
      expect(possible).toBe(true);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOMEM', effect: 'none' });
      expect([possible, memfile.journal.position]).toEqual([false, before]);
    }
  }

  #put(which: number): void {
    const [lease] = this.#leases.splice(which % Math.max(1, this.#leases.length), 1);
    if (lease === undefined) return;
    lease.put();
    for (const { places } of this.model.files.values()) {
      for (const { leases } of places) leases.delete(lease);
    }
    for (const leases of this.model.orphans) leases.delete(lease);
  }
}

function failure(operation: Promise<void>): Promise<MemfileError | undefined> {
  return operation.then(
    () => undefined,
    (error: MemfileError) => error,
  );
}

describe('the pool of huge pages, against a model in closed form', () => {
  it(`agrees after every step of ${RUNS} random programs (seed ${SEED})`, async () => {
    const program = fc.tuple(hugePages, fc.array(step, { minLength: 10, maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(program, async ([pool, steps]) => {
        const world = new World(pool);
        await world.take({ type: 'create', places: PLACES, reserve: false });
        await world.take({ type: 'create', places: 2, reserve: true });
        for (const step of steps) {
          await world.take(step);
          world.compare();
        }
        await world.reopen();
      }),
      { seed: SEED, numRuns: RUNS },
    );
  }, 600_000);
});
