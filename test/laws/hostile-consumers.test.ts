import { map, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemfileError,
  MemoryJournal,
  type BackingStore,
  type Registration,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { settle } from '../kit/small.js';

const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  await file.fallocate(0, 4);
  return { memfile, file };
};

const failure = { code: 'EIO', effect: 'done' };

describe('consumers that nobody would write', () => {
  const unreadable: [string, unknown][] = [
    ['an object without prototype', Object.create(null)],
    ['nothing', undefined],
    ['a symbol', Symbol('x')],
    [
      'an error whose message throws',
      Object.defineProperty(new Error('x'), 'message', { get: () => JSON.parse('{') }),
    ],
  ];

  it.each(unreadable)('law 2, 4: throw %s', async (_, thrown) => {
    const { memfile, file } = await setUp();
    const registration = await file.register({
      invalidate() {
        throw thrown;
      },
    });
    await expect(file.punchHole(0, 1)).rejects.toMatchObject(failure);
    expect(memfile.state.quarantined).toHaveLength(1);
    await registration.unregister();
    expect(file.populated()).toEqual([{ start: 1, end: 4 }]);
  });

  it.each(unreadable)('law 2, 4: reject with %s', async (_, thrown) => {
    const { memfile, file } = await setUp();
    await file.register({ invalidate: () => Promise.reject(thrown) });
    await expect(file.punchHole(0, 1)).rejects.toMatchObject(failure);
    expect(memfile.state.quarantined).toHaveLength(1);
    await file.fallocate(0, 1);
  });

  it.each(['unsubscribe', 'evict'] as const)(
    'law 3: %s another one that awaits its end: it gets a left row',
    async (how) => {
      const { memfile, file } = await setUp();
      let other: Registration | undefined;
      await file.register({ invalidateEnd: () => other?.[how]() });
      let ends = 0;
      other = await file.register({ invalidateEnd: () => void ends++ });
      await file.punchHole(0, 1);
      const left = [...memfile.journal.read(1)].filter(({ type }) => type === 'left');
      expect({ ends, left }).toMatchObject({
        ends: 0,
        left: [{ registration: other.id, start: 0, end: 1 }],
      });
    },
  );

  it('law 6: evict themselves amid their own callback', async () => {
    const { memfile, file } = await setUp();
    const registration: Registration = await file.register({
      invalidate(start) {
        registration.evict();
        return start === 0 ? new Promise(() => {}) : undefined;
      },
    });
    await expect(file.punchHole(0, 1)).rejects.toMatchObject(failure);
    expect(memfile.state.quarantined).toHaveLength(1);
    expect(registration.active).toBe(false);
  });

  it('synchronize, or tear down, from behind pipe()', async () => {
    const { memfile, file } = await setUp();
    const registration = await file.register({});
    let synchronized = 0;
    registration
      .pipe(tap(() => void file.synchronize().then(() => synchronized++)))
      .subscribe({ error: () => {} });
    await file.punchHole(0, 1);
    await settle();
    expect(synchronized).toBe(2);
    registration.pipe(map(() => memfile[Symbol.asyncDispose]())).subscribe();
    await file.punchHole(1, 2);
    await memfile[Symbol.asyncDispose]();
    expect(memfile.files.size).toBe(0);
  });

  it('close the file that is being closed', async () => {
    const { file } = await setUp();
    const closed: Promise<void>[] = [];
    await file.register({ invalidate: () => void closed.push(file.close()) });
    closed.push(file.close());
    await expect(Promise.all(closed)).resolves.toEqual([undefined, undefined]);
    expect(file.closed).toBe(true);
  });

  it('change the range object that they registered with', async () => {
    const { file } = await setUp();
    const range = { start: 0, end: 1 };
    const told: number[] = [];
    const registration = await file.register(
      { invalidate: (start) => void told.push(start) },
      { range },
    );
    range.start = 5;
    range.end = 6;
    await file.punchHole(0, 8);
    expect({ told, range: registration.range }).toEqual({ told: [0], range: { start: 0, end: 1 } });
  });

  it('fail when they hear that it is over', async () => {
    const { memfile, file } = await setUp();
    const cancel = new AbortController();
    const ends: string[] = [];
    const failing = (name: string) => ({
      complete: async () => {
        ends.push(name);
        throw new Error('not now');
      },
      error: () => {
        ends.push(`${name} refused`);
        throw new Error('not that either');
      },
    });
    file.notifications$({ signal: cancel.signal }).subscribe(failing('aborted'));
    const closed = file.notifications$().subscribe(failing('closed'));
    const registration = await file.register({});
    registration.subscribe(failing('subject'));
    cancel.abort();
    await file.close();
    await settle();
    registration.subscribe(failing('late'));
    file.notifications$().subscribe(failing('too late'));
    await settle();
    expect(ends.sort()).toEqual(['aborted', 'closed', 'late', 'subject', 'too late refused']);
    expect(closed.closed).toBe(true);
    await memfile[Symbol.asyncDispose]();
  });
});

describe('loops', () => {
  it('end when the memfile is torn down', async () => {
    const { memfile, file } = await setUp();
    const seen: string[] = [];
    let teardown: Promise<void> | undefined;
    for await (const { type } of file.notifications$()) {
      seen.push(type);
      teardown ??= memfile[Symbol.asyncDispose]();
    }
    await teardown;
    expect(seen).toEqual(['snapshot']);
  });

  it('can be left while an item is awaited', async () => {
    const { file } = await setUp();
    const items = file.notifications$()[Symbol.asyncIterator]();
    await items.next();
    const waiting = items.next();
    await items.return?.();
    await expect(waiting).resolves.toEqual({ done: true, value: undefined });
    expect(file.registrations).toBe(0);
  });
});

describe('stores that nobody would write', () => {
  const broken = (
    change: Partial<ReturnType<BackingStore['createFile']>>,
  ): BackingStore<'broken'> => {
    const inner = shmem();
    return {
      name: 'broken',
      createFile: (spec) => {
        const file = inner.createFile(spec);
        return {
          allocate: (start, end) => file.allocate(start, end),
          free: (start, end) => file.free(start, end),
          getLockPfn: (offset) => file.getLockPfn(offset),
          putUnlockPfn: (pfn) => file.putUnlockPfn(pfn),
          ...change,
        };
      },
    };
  };
  const throws = (): never => {
    throw new Error('the store is broken');
  };

  it('law 4: cannot hold on to a frame that has to be quarantined: the page stays', async () => {
    const memfile = createMemfile({ plugins: [broken({ getLockPfn: throws })] });
    const file = memfile.createFile('broken', { size: 4 });
    await file.fallocate(0, 4);
    await file.register({ invalidate: throws }, { range: { start: 0, end: 1 } });
    await expect(file.punchHole(0, 2)).rejects.toMatchObject({ code: 'EIO', effect: 'partial' });
    expect(file.populated()).toEqual([
      { start: 0, end: 1 },
      { start: 2, end: 4 },
    ]);
  });

  it('say why they allocate less in words of their own', async () => {
    const error = Object.assign(new Error('no more'), { code: 'ENOMEM' }) as never;
    const runs = [{ start: 0, end: 1, pfn: 7 }];
    const memfile = createMemfile({ plugins: [broken({ allocate: () => ({ runs, error }) })] });
    const file = memfile.createFile('broken', { size: 4 });
    await expect(file.fallocate(0, 2)).rejects.toMatchObject({ code: 'EIO', effect: 'partial' });
    expect(file.populated()).toEqual([{ start: 0, end: 1 }]);
  });

  it('fail to attach: there is no file then', () => {
    const memfile = createMemfile({ plugins: [broken({ attach: throws })] });
    expect(() => memfile.createFile('broken', { size: 4 })).toThrow(/EIO.*attach/);
    expect({ files: memfile.files.size, state: memfile.state.files.size }).toEqual({
      files: 0,
      state: 0,
    });
  });
});

describe('law 11: a memfile itself', () => {
  it.each([
    ['nothing', undefined],
    ['no plugins', {}],
    ['no plugin', { plugins: [null] }],
    ['a stall limit that is no number', { plugins: [], stallAfterMs: 'x' }],
    ['a deadline that is no number', { plugins: [], teardownDeadlineMs: NaN }],
    ['a report that is no function', { plugins: [], onStall: 5 }],
  ])('is not made of %s', (_, options) => {
    expect(() => createMemfile(options as never)).toThrow(MemfileError);
  });

  it('is not made of a journal that is in use', () => {
    const journal = new MemoryJournal();
    createMemfile({ plugins: [shmem()], journal }).createFile('shmem', { size: 1 });
    expect(() => createMemfile({ plugins: [shmem()], journal })).toThrow(/EBUSY.*another memfile/);
    expect(() => shmem({ quota: -5 })).toThrow('EINVAL');
  });
});
