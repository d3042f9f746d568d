import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  type BackingStore,
  type MappingBudget,
  type MemoryFile,
  type Movement,
  type PageRange,
  type StoreCapabilities,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

/** Shmem that declares something else of itself. */
const declaring = (capabilities?: StoreCapabilities): BackingStore<'made'> => {
  const inner = shmem();
  const rest = capabilities === undefined ? {} : { capabilities };
  return { name: 'made', createFile: (spec) => inner.createFile(spec), ...rest };
};

const fileOf = (capabilities?: StoreCapabilities): MemoryFile =>
  createMemfile({ plugins: [declaring(capabilities)] }).createFile('made', { size: 16 });

const MOVEMENTS: readonly Movement[] = ['pinned', 'revocable', 'movable'];

describe('what a store does to pages, and what a consumer can follow', () => {
  for (const [does, movement] of MOVEMENTS.entries()) {
    for (const [can, follows] of MOVEMENTS.entries()) {
      const fits = can >= does;
      it(`${movement} pages, a consumer that follows ${follows}: ${fits ? 'ok' : 'refused'}`, async () => {
        const file = fileOf({ movement });
        const registering = file.register({ name: 'dma' }, { follows });
        if (fits) {
          expect((await registering).active).toBe(true);
          return;
        }
        await expect(registering).rejects.toMatchObject({
          code: 'EOPNOTSUPP',
          effect: 'none',
          message: expect.stringMatching(
            new RegExp(`"made" are ${movement}.*"dma" follows ${follows}.*'${movement}'`),
          ),
        });
        expect(file.registrations).toBe(0);
      });
    }
  }

  it('who declares nothing: pages are pinned, and everything can be followed', async () => {
    await expect(fileOf().register({}, { follows: 'pinned' })).resolves.toBeDefined();
    await expect(fileOf({ movement: 'movable' }).register({})).resolves.toBeDefined();
  });

  it('two consumers with different declarations', async () => {
    const file = fileOf({ movement: 'revocable' });
    await file.register({ name: 'a' }, { follows: 'revocable', access: 'shared' });
    await file.register({ name: 'b' }, { follows: 'movable', access: 'private' });
    expect(file.registrations).toBe(2);
  });

  it.each<[what: string, options: object]>([
    ['follows', { follows: 'anything' }],
    ['access', { access: 'all' }],
    ['a budget without a limit', { budget: { used: 0, cost: () => 0 } }],
    ['a budget without cost', { budget: { limit: 1, used: 0 } }],
    ['a negative limit', { budget: { limit: -1, used: 0, cost: () => 0 } }],
  ])('EINVAL: %s', async (_, options) => {
    const file = fileOf();
    await expect(file.register({}, options)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(file.registrations).toBe(0);
  });
});

describe('what callers may do with the pages of a store', () => {
  it('neither allocate nor punch, if it says so', async () => {
    const file = fileOf({ fallocate: false, punchHole: false });
    for (const call of [file.fallocate(0, 1), file.punchHole(0, 1)]) {
      await expect(call).rejects.toMatchObject({
        code: 'EOPNOTSUPP',
        message: expect.stringContaining('"made"'),
      });
    }
    await expect(file.close()).resolves.toBeUndefined();
  });

  it('convert only as it says', async () => {
    const file = fileOf({ conversions: ['preserve'] });
    await file.convert(0, 1, 'private', { content: 'preserve' });
    await expect(file.convert(0, 1, 'shared')).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
      message: expect.stringContaining("'preserve'"),
    });
    expect(file.privatePages()).toEqual([{ start: 0, end: 1 }]);
  });
});

describe('budgets', () => {
  it('are asked about the pages of their own range, with the frames that these have', async () => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 8 });
    const asked: (PageRange & { readonly pfn?: number })[] = [];
    const cost = (pages: Parameters<MappingBudget['cost']>[0]): number => asked.push(...pages);
    const budget = { limit: 9, used: 0, cost };
    const range = { start: 2, end: 6 };
    const mapper = await file.register({ prepare: () => {} }, { range, budget });
    await file.fallocate(0, 8);
    const lease = mapper.lookup(2);
    expect(asked).toEqual([{ start: 2, end: 6, pfn: lease.pfn }]);
    lease.put();
  });

  /** Has room for so many pages; counts what it was asked to prepare. */
  const mapper = (limit: number) => {
    const budget = {
      limit,
      used: 0,
      cost: (pages: readonly PageRange[]) =>
        pages.reduce((sum, { start, end }) => sum + end - start, 0),
    } satisfies MappingBudget;
    const told: string[] = [];
    const count =
      (type: string, sign: number) =>
      (start: number, end: number): void => {
        told.push(`${type} ${start} ${end}`);
        budget.used += sign * (end - start);
      };
    const notifier = {
      prepare: count('prepare', 1),
      rollback: count('rollback', -1),
      fallocate: count('fallocate', 0),
    };
    return { budget, told, notifier };
  };

  it('what is there already has to fit, or the consumer is not let in', async () => {
    const file = fileOf();
    await file.fallocate(0, 8);
    const { budget, notifier, told } = mapper(7);
    const asked = { name: 'vfio', budget };
    await expect(file.register(notifier, asked)).rejects.toMatchObject({
      code: 'ENOSPC',
      message: expect.stringContaining('needs 8 mappings, and 0 of 7 are in use'),
    });
    expect(file.registrations).toBe(0);
    expect(told).toEqual([]);
    await expect(
      file.register(notifier, { ...asked, range: { start: 1, end: 8 } }),
    ).resolves.toBeDefined();
  });

  it('pages that do not fit do not arrive: ENOSPC names the consumer, others roll back', async () => {
    const file = fileOf();
    const [first, full, last] = [mapper(99), mapper(4), mapper(99)];
    await file.register(first.notifier, { name: 'first', budget: first.budget });
    await file.register(full.notifier, { name: 'full', budget: full.budget });
    await file.register(last.notifier, { name: 'last', budget: last.budget });
    await file.fallocate(0, 3);
    await expect(file.fallocate(3, 6)).rejects.toMatchObject({
      code: 'ENOSPC',
      effect: 'none',
      message: expect.stringContaining('"full"'),
      refused: { consumer: 'full', page: 3, holders: [] },
    });
    expect(file.populated()).toEqual([{ start: 0, end: 3 }]);
    const before = ['prepare 0 3', 'fallocate 0 3'];
    expect(first.told).toEqual([...before, 'prepare 3 6', 'rollback 3 6']);
    expect(full.told).toEqual(before); // It was never asked.
    expect([first.budget.used, full.budget.used]).toEqual([3, 3]);
    expect(last.told).toEqual(before);
    await file.fallocate(3, 4);
    expect(file.populated()).toEqual([{ start: 0, end: 4 }]);
  });

  it('only its own range counts, and only its own side', async () => {
    const file = fileOf();
    const { budget, notifier } = mapper(2);
    const range = { start: 4, end: 8 };
    await file.register(notifier, { budget, range, access: 'private' });
    await file.fallocate(0, 8);
    await file.convert(0, 6, 'private');
    await expect(file.convert(0, 8, 'private')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(file.privatePages()).toEqual([{ start: 0, end: 6 }]);
    expect(budget.used).toBe(2);
  });
});

describe('a budget and an operation of several stretches', () => {
  /** A file with pages 0, 2, 4, 6, 8, and a consumer that maps each page that it is told of. */
  const setUp = async (limit: number, access: 'private' | 'both') => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 32 });
    for (let page = 0; page < 10; page += 2) await file.fallocate(page, page + 1);
    const there = file.populated(0, 32, access).length;
    const mapped = { used: there };
    const budget: MappingBudget = {
      limit,
      get used() {
        return mapped.used;
      },
      cost: (pages) => pages.reduce((sum, { start, end }) => sum + end - start, 0),
    };
    const fallocate = (start: number, end: number): void => void (mapped.used += end - start);
    // What is there is counted when it registers; it has these mapped already.
    mapped.used = 0;
    await file.register({ name: 'plain', fallocate }, { access, budget });
    mapped.used = there;
    return { file, mapped };
  };

  it.each([
    ['convert', 4, false],
    ['convert', 5, true],
  ] as const)('%s of 5 stretches with room for %i', async (_, limit, fits) => {
    const { file, mapped } = await setUp(limit, 'private');
    const { possible } = file.plan({ type: 'convert', start: 0, end: 10, to: 'private' });
    expect(possible).toBe(fits);
    const converting = file.convert(0, 10, 'private');
    if (fits) await converting;
    else {
      const refused = { consumer: 'plain', page: 0 };
      await expect(converting).rejects.toMatchObject({ code: 'ENOSPC', effect: 'none', refused });
    }
    expect(mapped.used).toBe(fits ? 5 : 0);
  });

  it.each([
    [8, false],
    [9, true],
  ])('fallocate of 4 holes, 5 of %i used', async (limit, fits) => {
    const { file, mapped } = await setUp(limit, 'both');
    expect(file.plan({ type: 'fallocate', start: 0, end: 9 }).possible).toBe(fits);
    const arriving = file.fallocate(0, 9);
    if (fits) await arriving;
    else await expect(arriving).rejects.toMatchObject({ code: 'ENOSPC', effect: 'none' });
    expect(mapped.used).toBe(fits ? 9 : 5);
  });
});
