import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemfileError,
  type Allocation,
  type BackingStore,
  type Notifier,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { settle } from '../kit/small.js';

const setUp = () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  return { memfile, file: memfile.createFile('shmem', { size: 16, name: 'ram' }) };
};

/** A consumer that writes down what it is told; `refuse` is called in `prepare`. */
const voter = (name: string, told: string[], refuse: () => unknown = () => {}): Notifier => {
  const note =
    (type: string) =>
    (start: number, end: number): void =>
      void told.push(`${name} ${type} ${start} ${end}`);
  return {
    name,
    prepare(start, end) {
      told.push(`${name} prepare ${start} ${end}`);
      return refuse() as undefined;
    },
    fallocate: note('fallocate'),
    rollback: note('rollback'),
    invalidate: note('invalidate'),
  };
};

const no = (): never => {
  throw new Error('no mappings left');
};

describe('law 8: populate that can be refused', () => {
  it('asks in the order of registration, for added pages only, then tells', async () => {
    const { file, memfile } = setUp();
    await file.fallocate(2, 4);
    const told: string[] = [];
    await file.register(voter('a', told));
    await file.register(voter('b', told), { range: { start: 4, end: 16 } });
    await file.fallocate(0, 6);
    expect(told).toEqual([
      'a prepare 0 2',
      'a prepare 4 6',
      'b prepare 4 6',
      'a fallocate 0 2',
      'a fallocate 4 6',
      'b fallocate 4 6',
    ]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it.each([0, 1, 2])('undoes, in reverse, whichever consumer refuses: number %i', async (which) => {
    const { file, memfile } = setUp();
    const told: string[] = [];
    for (let i = 0; i < 3; i++)
      await file.register(voter(`c${i}`, told, i === which ? no : undefined));
    const refused = file.fallocate(0, 4);
    await expect(refused).rejects.toMatchObject({
      code: 'EBUSY',
      effect: 'none',
      message: `EBUSY: resource busy, fallocate: "c${which}" refused [0, 4): no mappings left`,
    });
    const asked = Array.from({ length: which + 1 }, (_, i) => `c${i} prepare 0 4`);
    const undone = Array.from({ length: which }, (_, i) => `c${which - 1 - i} rollback 0 4`);
    expect(told).toEqual([...asked, ...undone]);
    expect({ populated: file.populated(), pages: file.pages }).toEqual({
      populated: [],
      pages: 16,
    });
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('undoes who agreed last before a budget refused', async () => {
    const { file } = setUp();
    const told: string[] = [];
    const { name, ...observer } = voter('a', told);
    const observed = await file.register({ name: name! }, { votes: true });
    observed.subscribe(({ type }) => void told.push(`observer ${type}`));
    await file.register(observer);
    await file.register({ name: 'full' }, { budget: { limit: 0, used: 0, cost: () => 1 } });
    await expect(file.fallocate(0, 2)).rejects.toMatchObject({ code: 'ENOSPC', effect: 'none' });
    expect(told).toEqual([
      'observer prepare',
      'a prepare 0 2',
      'a rollback 0 2',
      'observer rollback',
    ]);
  });

  it('waits for votes; a late refusal undoes those who agreed, and not the one who refused', async () => {
    const { file } = setUp();
    const told: string[] = [];
    let object = (_error: Error): void => {};
    await file.register(voter('a', told));
    await file.register(
      voter('b', told, () => new Promise<void>((_resolve, reject) => (object = reject))),
    );
    const watcher = await file.register(voter('c', told));
    const refused = file.fallocate(0, 2);
    // Prepared pages are invisible to lookups and snapshots.
    expect(() => watcher.lookup(0)).toThrow('ENOENT');
    expect(file.populated()).toEqual([]);
    object(new MemfileError('ENOSPC', 'map', 'the IOMMU table is full'));
    await expect(refused).rejects.toMatchObject({ code: 'ENOSPC', effect: 'none' });
    expect(told.slice(3)).toEqual(['c rollback 0 2', 'a rollback 0 2']);
  });

  it('takes no vote of a consumer that leaves, and tells it nothing more', async () => {
    const { file } = setUp();
    const told: string[] = [];
    let object = (_error: Error): void => {};
    await file.register(voter('a', told));
    const leaver = await file.register(
      voter('b', told, () => new Promise<void>((_resolve, reject) => (object = reject))),
    );
    const added = file.fallocate(0, 2);
    leaver.unsubscribe();
    object(new Error('too late to object'));
    await added;
    expect(told).toEqual(['a prepare 0 2', 'b prepare 0 2', 'a fallocate 0 2']);
  });

  it.each(['unsubscribe', 'evict'] as const)(
    'asks on when whoever refused leaves before the decision: %s',
    async (how) => {
      const { file } = setUp();
      await file.fallocate(1, 2);
      const told: string[] = [];
      let agree = (): void => {};
      await file.register(
        voter('a', told, () => new Promise<void>((resolve) => (agree = resolve))),
      );
      const refuser = await file.register(voter('b', told, no));
      await file.register(voter('c', told));
      const added = file.fallocate(0, 3);
      expect(told).toEqual(['a prepare 0 1', 'b prepare 0 1']);
      refuser[how]();
      agree();
      await settle();
      agree();
      await added;
      expect(told.slice(2)).toEqual([
        'c prepare 0 1',
        'a prepare 2 3',
        'c prepare 2 3',
        'a fallocate 0 1',
        'c fallocate 0 1',
        'a fallocate 2 3',
        'c fallocate 2 3',
      ]);
    },
  );

  it('gives each participant of a consumer its say, and its own undoing', async () => {
    const { file } = setUp();
    const told: string[] = [];
    const registration = await file.register(voter('a', told), { votes: true });
    const observe = (name: string, refuse: () => unknown = () => {}) =>
      registration.subscribe(({ type }) => {
        told.push(`${name} ${type}`);
        if (type === 'prepare') refuse();
      });
    observe('first');
    observe('second', no);
    observe('third');
    await expect(file.fallocate(0, 1)).rejects.toThrow(/EBUSY.*"a" refused/);
    expect(told).toEqual([
      'a prepare 0 1',
      'first prepare',
      'second prepare',
      'a rollback 0 1',
      'first rollback',
    ]);
  });

  it('names the refuser even when the store does not take its pages back', async () => {
    const inner = shmem();
    const stuck: BackingStore<'stuck'> = {
      name: 'stuck',
      createFile(spec) {
        const file = inner.createFile(spec);
        return {
          allocate: (start, end) => file.allocate(start, end),
          getLockPfn: (offset) => file.getLockPfn(offset),
          putUnlockPfn: (pfn) => file.putUnlockPfn(pfn),
          free() {
            throw new Error('stuck');
          },
        };
      },
    };
    const file = createMemfile({ plugins: [stuck] }).createFile('stuck', { size: 4 });
    await file.register(voter('a', [], no));
    await expect(file.fallocate(0, 1)).rejects.toThrow(
      /"a" refused.*store "stuck" did not take \[0, 1\) back/,
    );
  });

  it('goes on undoing when a rollback fails, and says both', async () => {
    const { file, memfile } = setUp();
    const told: string[] = [];
    await file.register(voter('a', told));
    await file.register({
      ...voter('b', told),
      rollback() {
        throw new Error('b is stuck');
      },
    });
    await file.register(voter('c', told, no));
    await expect(file.fallocate(0, 1)).rejects.toMatchObject({
      code: 'EBUSY',
      effect: 'none',
      message: expect.stringMatching(
        /"c" refused.*no mappings left; "b" failed in rollback.*b is stuck/,
      ),
    });
    expect(told.at(-1)).toBe('a rollback 0 1');
    expect(file.populated()).toEqual([]);
    expect(memfile.state.quarantined).toEqual([]);
  });

  it('lets an observer vote that asks for it, and no other', async () => {
    const { file } = setUp();
    const seen: string[] = [];
    const idle = file.notifications$().subscribe(({ type }) => seen.push(type));
    const voting = file.notifications$({ votes: true, name: 'dma' }).subscribe(({ type }) => {
      if (type === 'prepare') throw new Error('not now');
    });
    await expect(file.fallocate(0, 1)).rejects.toThrow(/EBUSY.*"dma" refused/);
    voting.unsubscribe();
    await file.fallocate(0, 1);
    idle.unsubscribe();
    expect(seen).toEqual(['snapshot', 'fallocate']);
  });

  it('commits and tells what a store adds before it fails, as hugetlb does', async () => {
    const half: BackingStore<'half'> = {
      name: 'half',
      createFile: () => ({
        allocate: (start, end): Allocation => ({
          runs: [{ start, end: start + 1, pfn: 7 }],
          error: new MemfileError('ENOSPC', 'fallocate', `no page for [${start + 1}, ${end})`),
        }),
        free() {},
        getLockPfn: () => ({ pfn: 7, order: 0 }),
        putUnlockPfn() {},
      }),
    };
    const file = createMemfile({ plugins: [half] }).createFile('half', { size: 4 });
    const told: string[] = [];
    const first = await file.register(voter('a', told));
    await expect(file.fallocate(0, 2)).rejects.toMatchObject({ code: 'ENOSPC', effect: 'partial' });
    expect(told).toEqual(['a prepare 0 1', 'a fallocate 0 1']);
    expect(file.populated()).toEqual([{ start: 0, end: 1 }]);
    await file.punchHole(0, 1);
    await first.unregister();
    await file.register(voter('b', told, no));
    await expect(file.fallocate(0, 2)).rejects.toMatchObject({ code: 'EBUSY', effect: 'none' });
    expect(file.populated()).toEqual([]);
  });
});

describe('law 8: registration with replay', () => {
  it('tells what is there as if it arrived now, and nothing twice', async () => {
    const { file } = setUp();
    await file.fallocate(0, 2);
    await file.fallocate(4, 6);
    const told: string[] = [];
    const registered = file.register(voter('a', told), {
      replay: true,
      range: { start: 1, end: 8 },
    });
    const added = file.fallocate(6, 7);
    await Promise.all([registered, added]);
    expect(told).toEqual([
      'a prepare 1 2',
      'a prepare 4 6',
      'a fallocate 1 2',
      'a fallocate 4 6',
      'a prepare 6 7',
      'a fallocate 6 7',
    ]);
  });

  it('leaves no half-informed consumer behind when it is refused', async () => {
    const { file, memfile } = setUp();
    await file.fallocate(0, 2);
    await file.fallocate(4, 6);
    const told: string[] = [];
    let asked = 0;
    const notifier = voter('a', told, () => (++asked === 2 ? no() : undefined));
    await expect(file.register(notifier, { replay: true })).rejects.toMatchObject({
      code: 'EBUSY',
      effect: 'none',
      message: expect.stringContaining('"a" refused [4, 6)'),
    });
    expect(told).toEqual(['a prepare 0 2', 'a prepare 4 6', 'a rollback 0 2']);
    expect(file.registrations).toBe(0);
    await file.punchHole(0, 6);
    expect(told).toHaveLength(3);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });
});
