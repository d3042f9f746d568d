import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemfileError,
  type ContentMode,
  type MappingBudget,
  type MemoryFile,
  type NotifierEvent,
  type PageRange,
  type PlannedOperation,
  type Seal,
  type Side,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';

const SEED = 20251122;
const RUNS = 300;

/** A consumer that maps every page that it can use, and counts its mappings. */
class Mapper implements MappingBudget {
  /** The most that there ever were since this was set. */
  peak = 0;
  readonly limit: number;
  readonly #mapped = new Set<number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#mapped.size;
  }

  cost(pages: readonly PageRange[]): number {
    return pages.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  async on(file: MemoryFile, range: PageRange, access: Side | 'both'): Promise<void> {
    const map = (start: number, end: number): void => {
      for (let page = start; page < end; page++) this.#mapped.add(page);
      this.peak = Math.max(this.peak, this.used);
    };
    const unmap = (start: number, end: number): void => {
      for (let page = start; page < end; page++) this.#mapped.delete(page);
    };
    // In a conversion, those that lose pages are asked too, and gain none.
    const gains = ({ conversion }: NotifierEvent): boolean =>
      conversion === undefined || conversion.to === access;
    await file.register(
      {
        name: 'mapper',
        prepare: (start, end, event) => void (gains(event) && map(start, end)),
        rollback: (start, end, event) => void (gains(event) && unmap(start, end)),
        fallocate: map,
        invalidate: unmap,
        invalidateEnd: (_start, _end, { kept = [] }) => {
          for (const { start, end } of kept) map(start, end);
        },
      },
      { range, access, replay: true, budget: this },
    );
  }
}

type Action = PlannedOperation | { readonly type: 'seal'; readonly seal: Seal };

const range = fc
  .tuple(fc.nat(15), fc.integer({ min: 1, max: 8 }))
  .map(([start, pages]) => ({ start, end: start + pages }));
const side = fc.constantFrom<Side>('shared', 'private');
const access = fc.constantFrom<Side | 'both'>('shared', 'private', 'both');
const content = fc.constantFrom<ContentMode>('unspecified', 'zero', 'preserve');

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: range.map((at) => ({ type: 'fallocate' as const, ...at })) },
  { weight: 3, arbitrary: range.map((at) => ({ type: 'punchHole' as const, ...at })) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('truncate' as const), pages: fc.nat(20) }),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(range, side, content)
      .map(([at, to, content]) => ({ type: 'convert' as const, ...at, to, content })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(range, access, fc.constantFrom('pinned' as const, 'movable' as const), fc.nat(6))
      .map(([range, access, follows, limit]) => {
        return {
          type: 'register' as const,
          range,
          access,
          follows,
          budget: new Mapper(limit),
        };
      }),
  },
  {
    weight: 0.5 * 2,
    arbitrary: fc.record({
      type: fc.constant('seal' as const),
      seal: fc.constantFrom<Seal>('grow', 'shrink', 'write'),
    }),
  },
);

const program = fc.record({
  device: fc.nat(4).map((n) => n === 0),
  quota: fc.integer({ min: 8, max: 24 }),
  filled: fc.integer({ min: 1, max: 8 }),
  mappers: fc.array(fc.record({ range, access, limit: fc.nat(8) }), {
    maxLength: 3,
  }),
  actions: fc.array(action, { minLength: 3, maxLength: 24, size: 'max' }),
});

function perform(file: MemoryFile, operation: PlannedOperation): Promise<unknown> {
  switch (operation.type) {
    case 'fallocate':
      return file.fallocate(operation.start, operation.end);
    case 'punchHole':
      return file.punchHole(operation.start, operation.end);
    case 'truncate':
      return file.truncate(operation.pages);
    case 'convert': {
      const { start, end, to, content } = operation;
      return file.convert(start, end, to, { content });
    }
    case 'register':
      return file.register({}, operation).then((registration) => registration.unregister());
  }
}

async function outcomeOf(work: Promise<unknown>): Promise<MemfileError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof MemfileError) return error;
    throw error;
  }
}

describe('a plan', () => {
  const seen = { possible: 0, refused: new Set<string>() };

  it(`says what the operation then does (${RUNS} programs, seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(program, async ({ device, quota, filled, mappers, actions }) => {
        const memfile = createMemfile({
          plugins: [shmem({ quota }), vfioDevice({ bars: [{ pfn: 0x100, pages: 16 }] })],
        });
        const file = device
          ? memfile.createFile('vfio-device', { size: 16, region: 0 })
          : memfile.createFile('shmem', { size: 16 });
        if (!device) await file.fallocate(0, filled);
        const counting: Mapper[] = [];
        for (const { range, access, limit } of mappers) {
          const mapper = new Mapper(limit);
          if ((await outcomeOf(mapper.on(file, range, access))) === undefined)
            counting.push(mapper);
        }
        for (const operation of actions) {
          if (operation.type === 'seal') {
            await file.addSeals(operation.seal);
            continue;
          }
          const before = JSON.stringify(memfile.state.toJSON());
          const used = counting.map((mapper) => mapper.used);
          const plan = file.plan(operation);
          expect(JSON.stringify(memfile.state.toJSON())).toBe(before);
          expect(counting.map((mapper) => mapper.used)).toEqual(used);
          for (const mapper of counting) mapper.peak = mapper.used;
          const error = await outcomeOf(perform(file, operation));
          expect(plan.possible).toBe(plan.refusals.length === 0);
          expect([plan.possible, error?.code]).toEqual([error === undefined, error?.code]);
          if (error === undefined) {
            seen.possible++;
            const more = plan.mappings.reduce((sum, mapping) => sum + mapping.more, 0);
            const took = counting.map(({ peak }, i) => peak - used[i]!);
            expect(more).toBeGreaterThanOrEqual(took.reduce((a, b) => a + b, 0));
            for (const { used, limit, more } of plan.mappings) {
              expect(used + more).toBeLessThanOrEqual(limit);
            }
          } else {
            const first = plan.refusals[0]!;
            expect(plan.refusals.map(({ code }) => code)).toContain(error.code);
            seen.refused.add(`${operation.type} ${first.code}`);
            if (first.refused !== undefined) {
              expect(error.refused).toMatchObject({ consumer: first.refused.consumer });
            }
          }
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('has been tried with every kind of refusal', () => {
    expect(seen.possible).toBeGreaterThan(RUNS);
    expect([...seen.refused].sort()).toEqual([
      'convert ENOSPC',
      'convert EOPNOTSUPP',
      'fallocate ENOSPC',
      'fallocate EOPNOTSUPP',
      'fallocate EPERM',
      'punchHole EOPNOTSUPP',
      'punchHole EPERM',
      'register ENOSPC',
      'register EOPNOTSUPP',
      'truncate EINVAL',
      'truncate EPERM',
    ]);
  });
});

describe('a plan of one operation', () => {
  const setUp = async () => {
    const memfile = createMemfile({ plugins: [shmem({ quota: 12 })] });
    const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
    await file.fallocate(0, 8);
    await file.punchHole(2, 4);
    await file.fallocate(2, 3); // Frames: 1, 2, 3, a hole, 5, 6, 7, 8.
    return { memfile, file };
  };

  it('counts mappings by frames where they are known, and pages at most where they are not', async () => {
    const { file } = await setUp();
    const byRun: MappingBudget = {
      limit: 4,
      used: 1,
      cost: (pages) =>
        pages.reduce((sum, { start, end, pfn }) => sum + (pfn === undefined ? end - start : 1), 0),
    };
    const range = { start: 1, end: 6 };
    await file.register({ name: 'dma' }, { access: 'private', budget: byRun, range });
    const counted = { consumer: 'dma', used: 1, limit: 4 };
    expect(file.plan({ type: 'convert', start: 0, end: 8, to: 'private' })).toEqual({
      possible: true,
      refusals: [],
      pages: 8,
      mappings: [{ ...counted, more: 2 }], // Pages 1 and 2, 4 and 5.
    });
    await file.convert(8, 12, 'private');
    await file.convert(3, 4, 'private');
    const plan = file.plan({ type: 'fallocate', start: 0, end: 12 });
    expect(plan).toMatchObject({ possible: true, pages: 5, mappings: [{ ...counted, more: 1 }] });
    const joining = file.plan({ type: 'register', name: 'new', budget: byRun });
    expect(joining.mappings).toEqual([{ ...counted, consumer: 'new', more: 2 }]);
    expect(joining.pages).toBe(7);
  });

  it('names the budget that refuses, the first page, and what is missing', async () => {
    const { file } = await setUp();
    await file.register({ name: 'dma' }, { budget: { limit: 2, used: 0, cost: () => 9 } }).then(
      () => expect.unreachable(),
      () => {},
    );
    const range = { start: 8, end: 16 };
    await file.register({ name: 'dma' }, { range, budget: { limit: 2, used: 1, cost: () => 2 } });
    const { possible, refusals, mappings } = file.plan({ type: 'fallocate', start: 6, end: 12 });
    expect([possible, refusals.length]).toEqual([false, 1]);
    expect(refusals[0]).toMatchObject({
      code: 'ENOSPC',
      message: expect.stringContaining('"dma": ENOSPC: no space left, plan: needs 2 mappings'),
      refused: { consumer: 'dma', page: 8, holders: [] },
    });
    expect(mappings).toEqual([{ consumer: 'dma', limit: 2, used: 1, more: 2 }]);
  });

  it('a budget that throws refuses as it says, and costs nothing known', async () => {
    const { file } = await setUp();
    const range = { start: 8, end: 16 };
    const cost = (): never => {
      throw new MemfileError('EOPNOTSUPP', 'map', 'one range only');
    };
    await file.register({ name: 'iommufd' }, { range, budget: { limit: 2, used: 0, cost } });
    const { refusals, mappings } = file.plan({ type: 'fallocate', start: 8, end: 9 });
    expect(refusals.map(({ code }) => code)).toEqual(['EOPNOTSUPP']);
    expect(mappings).toEqual([]);
  });

  it('lists all that is in the way: the seal, the store, the budget', async () => {
    const { file } = await setUp();
    await file.register({}, { budget: { limit: 7, used: 7, cost: () => 0 } });
    await file.register(
      { name: 'b' },
      { range: { start: 9, end: 30 }, budget: { limit: 1, used: 1, cost: () => 1 } },
    );
    await file.addSeals('grow');
    const { refusals } = file.plan({ type: 'fallocate', start: 0, end: 30 });
    expect(refusals.map(({ code }) => code)).toEqual(['EPERM', 'ENOSPC', 'ENOSPC']);
    expect(refusals[1]?.message).toContain('quota');
    expect(refusals[2]?.refused?.consumer).toBe('b');
    expect(file.plan({ type: 'fallocate', start: 0, end: 2 }).possible).toBe(true);
  });

  it('says whose lease a conversion would meet; whoever lets go in time is not in the way', async () => {
    const { file } = await setUp();
    const registration = await file.register({
      name: 'vm',
      invalidate: () => lease.put(),
    });
    const lease = registration.lookup(5);
    const plan = file.plan({ type: 'convert', start: 0, end: 8, to: 'private' });
    expect(plan).toMatchObject({ possible: true, held: { page: 5, holders: ['vm'] } });
    expect(file.plan({ type: 'convert', start: 0, end: 5, to: 'private' }).held).toBeUndefined();
    await file.convert(0, 8, 'private');
  });

  it('counts whole groups of pages where the store has them', async () => {
    const inner = shmem();
    const memfile = createMemfile({
      plugins: [
        {
          name: 'huge',
          createFile(spec) {
            const file = inner.createFile(spec);
            return {
              granule: 4,
              allocate: (start, end) =>
                file.allocate(Math.floor(start / 4) * 4, Math.ceil(end / 4) * 4),
              free: (start, end) => file.free(start, end),
              getLockPfn: (offset) => file.getLockPfn(offset),
              putUnlockPfn: (pfn) => file.putUnlockPfn(pfn),
            };
          },
        },
      ],
    });
    const file = memfile.createFile('huge', { size: 16 });
    expect(file.plan({ type: 'fallocate', start: 3, end: 5 }).pages).toBe(8);
    await file.fallocate(3, 5);
    expect(file.populated()).toEqual([{ start: 0, end: 8 }]);
    expect(file.plan({ type: 'fallocate', start: 3, end: 5 }).pages).toBe(0);
    expect(file.plan({ type: 'punchHole', start: 0, end: 99 }).pages).toBe(8);
    expect(file.plan({ type: 'truncate', pages: 6 }).pages).toBe(2);
  });

  it.each<[code: string, operation: unknown]>([
    ['EINVAL', undefined],
    ['EINVAL', null],
    ['EINVAL', { type: 'dance' }],
    ['EINVAL', { type: 'fallocate', start: 2, end: 2 }],
    ['EINVAL', { type: 'punchHole', start: -1, end: 2 }],
    ['EINVAL', { type: 'truncate', pages: 0.5 }],
    ['EFBIG', { type: 'truncate', pages: 2 ** 52 }],
    ['EINVAL', { type: 'convert', start: 0, end: 1, to: 'public' }],
    ['EINVAL', { type: 'convert', start: 0, end: 1, to: 'shared', content: 'keep' }],
    ['EINVAL', { type: 'register', follows: 'nobody' }],
    ['EINVAL', { type: 'register', budget: {} }],
    ['EFBIG', { type: 'register', range: { start: 0, end: 2 ** 52 } }],
  ])('%s for %j', async (code, operation) => {
    const { file } = await setUp();
    expect(() => file.plan(operation as never)).toThrow(new RegExp(`^${code}:.*plan`));
  });

  it('EBADF when the file is closed', async () => {
    const { file } = await setUp();
    await file.close();
    expect(() => file.plan({ type: 'punchHole', start: 0, end: 1 })).toThrow(/^EBADF/);
  });
});
