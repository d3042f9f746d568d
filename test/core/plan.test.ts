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
