import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemfileError,
  type Access,
  type BackingStore,
  type ContentMode,
  type MemoryFile,
  type Notifier,
  type Registration,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { gate } from '../kernel/waiting.js';

type Callback = 'prepare' | 'fallocate' | 'rollback' | 'invalidate' | 'invalidateEnd';

/** Shmem whose conversions can fail. */
const moody = (): BackingStore<'moody'> & { mood: unknown } => {
  const inner = shmem();
  const store = {
    name: 'moody' as const,
    mood: undefined as unknown,
    createFile: (spec: Parameters<typeof inner.createFile>[0]) => {
      const file = inner.createFile(spec);
      return Object.assign(file, {
        convert: () => {
          if (store.mood !== undefined) throw store.mood;
        },
      });
    },
  };
  return store;
};

/** A file of 8 pages, [0, 4) of which are there. */
const setUp = async () => {
  const store = moody();
  const memfile = createMemfile({ plugins: [store] });
  const file = memfile.createFile('moody', { size: 8, name: 'guest' });
  await file.fallocate(0, 4);
  const told: string[] = [];
  const join = (
    name: string,
    access: Access = 'both',
    act: Partial<Record<Callback, () => unknown>> = {},
  ): Promise<Registration> => {
    const note = (type: Callback): NonNullable<Notifier['fallocate']> => {
      return (start, end, { kept, conversion }) => {
        const stayed = (kept ?? []).map((range) => ` kept ${range.start} ${range.end}`).join('');
        const to = conversion === undefined ? '' : ` to ${conversion.to}`;
        told.push(`${name} ${type} ${start} ${end}${to}${stayed}`);
        return act[type]?.() as undefined;
      };
    };
    const [prepare, rollback] = [note('prepare'), note('rollback')];
    const [fallocate, invalidate] = [note('fallocate'), note('invalidate')];
    const invalidateEnd = note('invalidateEnd');
    const notifier = { name, prepare, rollback, fallocate, invalidate, invalidateEnd };
    return file.register(notifier, { access });
  };
  return { store, memfile, file, told, join };
};

const no = (): never => {
  throw new Error('no');
};

const untouched = (file: MemoryFile): void => expect(file.privatePages()).toEqual([]);

describe('a conversion that is refused changes nothing, and says by whom', () => {
  it('in prepare: EBUSY, and everybody who had agreed rolls back, in reverse', async () => {
    const { file, told, join } = await setUp();
    await join('device', 'private');
    await join('host', 'shared');
    await join('kvm', 'both');
    await join('last', 'both', { prepare: no });
    await expect(file.convert(0, 6, 'private')).rejects.toMatchObject({
      code: 'EBUSY',
      effect: 'none',
      refused: { consumer: 'last', page: 0, holders: [] },
    });
    // The gaining side is not even asked.
    expect(told).toEqual([
      'host prepare 0 6 to private',
      'kvm prepare 0 6 to private',
      'last prepare 0 6 to private',
      'kvm rollback 0 6 to private',
      'host rollback 0 6 to private',
    ]);
    untouched(file);
  });

  it('in prepare, with an error of its own and the page that it means', async () => {
    const { file, join } = await setUp();
    const holder = await join('holder');
    using _lease = holder.lookup(2);
    const refused = { consumer: 'x', page: 2, holders: [] };
    const pinned = new MemfileError('ENOSPC', 'prepare', 'no room for page 2', { refused });
    await join('device', 'shared', { prepare: () => Promise.reject(pinned) });
    await expect(file.convert(0, 4, 'private')).rejects.toMatchObject({
      code: 'ENOSPC',
      effect: 'none',
      refused: { consumer: 'device', page: 2, holders: ['holder'] },
    });
    untouched(file);
  });

  it('by the gaining side: the losing one has not lost anything', async () => {
    const { file, told, join } = await setUp();
    await join('device', 'private', { prepare: no });
    await join('host', 'shared');
    await expect(file.convert(1, 6, 'private')).rejects.toMatchObject({
      code: 'EBUSY',
      refused: { consumer: 'device', page: 1 },
    });
    expect(told).toEqual([
      'host prepare 1 6 to private',
      'device prepare 1 4 to private',
      'host rollback 1 6 to private',
    ]);
    untouched(file);
  });

  it('by a lease: EAGAIN after everybody let go; all get back what they had', async () => {
    const { memfile, file, told, join } = await setUp();
    await join('device', 'private');
    const kvm = await join('kvm');
    const lease = kvm.lookup(3);
    await expect(file.convert(2, 6, 'private')).rejects.toMatchObject({
      code: 'EAGAIN',
      effect: 'none',
      refused: { consumer: 'kvm', page: 3, holders: ['kvm'] },
    });
    expect(told).toEqual([
      'kvm prepare 2 6 to private',
      'device prepare 2 4 to private',
      'kvm invalidate 2 6 to private',
      'kvm invalidateEnd 2 6 to private kept 2 4',
      'device rollback 2 4 to private',
      'kvm rollback 2 6 to private',
    ]);
    untouched(file);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
    lease.put();
    await file.convert(2, 6, 'private');
    expect(file.privatePages()).toEqual([{ start: 2, end: 6 }]);
  });

  it('names a holder that has left, and does not mind a lease of a page that left', async () => {
    const { file, join } = await setUp();
    const kvm = await join('kvm');
    const [old, lease] = [kvm.lookup(0), kvm.lookup(1)];
    await file.punchHole(0, 1);
    await file.fallocate(0, 1);
    await file.convert(0, 1, 'private');
    await kvm.unregister();
    await expect(file.convert(1, 2, 'private')).rejects.toMatchObject({
      code: 'EAGAIN',
      refused: { consumer: 'kvm', page: 1 },
    });
    old.put();
    lease.put();
  });

  it.each([
    ['ENOMEM', new MemfileError('ENOMEM', 'convert', 'no room')],
    ['EOPNOTSUPP', new MemfileError('EOPNOTSUPP', 'convert', 'not after the launch')],
    ['EIO', new Error('burnt down')],
  ])('by the store: %s', async (code, mood) => {
    const { store, file, told, join } = await setUp();
    await join('host', 'shared');
    store.mood = mood;
    await expect(file.convert(0, 8, 'private')).rejects.toMatchObject({ code, effect: 'none' });
    expect(told.slice(1)).toEqual([
      'host invalidate 0 8 to private',
      'host invalidateEnd 0 8 to private kept 0 4',
      'host rollback 0 8 to private',
    ]);
    untouched(file);
  });

  it('by who fails to let go: EIO, nothing in quarantine, and failing undo is named too', async () => {
    const { memfile, file, told, join } = await setUp();
    await join('a', 'both', { rollback: no });
    await join('b', 'both', { invalidate: () => Promise.reject(new Error('the flush failed')) });
    await expect(file.convert(0, 1, 'private')).rejects.toMatchObject({
      code: 'EIO',
      effect: 'none',
      message: expect.stringMatching(/"b" failed in invalidate.*"a" failed in rollback/),
    });
    expect(told.slice(-2)).toEqual(['b rollback 0 1 to private', 'a rollback 0 1 to private']);
    expect(memfile.state.quarantined).toEqual([]);
    untouched(file);
  });

  it('for bad input, or what the store cannot do: nothing is recorded', async () => {
    const { memfile, file } = await setUp();
    const { position } = memfile.state;
    const refused: [unknown[], string][] = [
      [[2, 2, 'private'], 'EINVAL'],
      [[0, 1, 'mine'], 'EINVAL'],
      [[0, 1, 'shared', { content: 'keep' }], 'EINVAL'],
      [[0, 2 ** 52, 'private'], 'EFBIG'],
      [[0, 1, 'private', { content: 'zero' }], 'EOPNOTSUPP'],
      [[0, 1, 'shared', { content: 'zero' }], 'EOPNOTSUPP'],
    ];
    for (const [[start, end, to, options], code] of refused) {
      const asked = file.convert(
        start as number,
        end as number,
        to as 'private',
        options as { content: ContentMode },
      );
      await expect(asked).rejects.toMatchObject({ code });
    }
    await file.close();
    await expect(file.convert(0, 1, 'private')).rejects.toMatchObject({ code: 'EBADF' });
    expect(memfile.state.position).toBe(position + 3); // What closing it says.
  });
});

describe('a conversion', () => {
  it('is told to who loses, newest first, then ended, then to who gains', async () => {
    const { memfile, file, told, join } = await setUp();
    await join('device', 'private');
    await join('host', 'shared');
    await join('kvm', 'both');
    await file.convert(2, 6, 'private');
    expect(told).toEqual([
      'host prepare 2 6 to private',
      'kvm prepare 2 6 to private',
      'device prepare 2 4 to private',
      'kvm invalidate 2 6 to private',
      'host invalidate 2 6 to private',
      'host invalidateEnd 2 6 to private',
      'kvm invalidateEnd 2 6 to private kept 2 4',
      'device fallocate 2 4 to private',
    ]);
    expect(file.populated(0, 8, 'shared')).toEqual([{ start: 0, end: 2 }]);
    expect(file.populated(0, 8, 'private')).toEqual([{ start: 2, end: 4 }]);
    told.length = 0;
    // What arrives comes as a page of its side.
    await file.fallocate(5, 7);
    expect(told.filter((line) => line.includes('fallocate'))).toEqual([
      'device fallocate 5 6',
      'kvm fallocate 5 6',
      'host fallocate 6 7',
      'kvm fallocate 6 7',
    ]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('waits for every vote, everybody to let go, and everybody to take notice', async () => {
    const { file, told, join } = await setUp();
    const [vote, flush, notice] = [gate(), gate(), gate()];
    await join('device', 'private', { fallocate: () => notice.opened });
    await join('host', 'shared', { prepare: () => vote.opened, invalidate: () => flush.opened });
    let over = false;
    const converted = file.convert(0, 4, 'private').then(() => (over = true));
    expect(told).toEqual(['host prepare 0 4 to private', 'device prepare 0 4 to private']);
    vote.open();
    await expect.poll(() => told.at(-1)).toBe('host invalidate 0 4 to private');
    untouched(file);
    flush.open();
    await expect.poll(() => told.at(-1)).toBe('device fallocate 0 4 to private');
    expect(file.privatePages()).toEqual([{ start: 0, end: 4 }]);
    expect(over).toBe(false);
    notice.open();
    await converted;
  });

  it("that somebody failed to take notice of is done: EIO, effect 'done'", async () => {
    const { file, join } = await setUp();
    await join('device', 'private', { fallocate: no });
    await expect(file.convert(0, 4, 'private')).rejects.toMatchObject({
      code: 'EIO',
      effect: 'done',
    });
    expect(file.privatePages()).toEqual([{ start: 0, end: 4 }]);
  });

  it('who leaves in the middle has no vote, gets no end, and is not waited for', async () => {
    const { memfile, file, told, join } = await setUp();
    const host = await join('host', 'shared', { invalidate: () => new Promise(() => {}) });
    const converted = file.convert(0, 4, 'private');
    host.evict();
    await expect(converted).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
    expect(told.at(-1)).toBe('host invalidate 0 4 to private');
    const left = [...memfile.journal.read(1)].filter(({ type }) => type === 'left');
    expect(left).toMatchObject([{ registration: host.id, start: 0, end: 4 }]);
    // It was evicted, and is still at work.
    await expect(file.convert(0, 4, 'private')).rejects.toMatchObject({ code: 'EBUSY' });
    await file.punchHole(0, 4);
    await file.convert(0, 4, 'private');
  });

  it('cannot be waited for from inside: EDEADLK; and is aborted while it is queued', async () => {
    const { file, join } = await setUp();
    const hold = gate();
    const deadlocks: unknown[] = [];
    await file.register({
      invalidate(_start, _end, event) {
        try {
          event.waitUntil(file.convert(0, 1, 'private'));
        } catch (error) {
          deadlocks.push(error);
        }
        return hold.opened;
      },
    });
    const punched = file.punchHole(0, 1);
    expect(deadlocks).toMatchObject([{ code: 'EDEADLK' }]);
    const abort = new AbortController();
    const aborted = file.convert(0, 2, 'private', { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'EINTR' });
    hold.open();
    await punched;
    await join('late'); // Waits for the conversion that was started inside.
    expect(file.privatePages()).toEqual([{ start: 0, end: 1 }]);
  });

  it('counts against the budget of who gains: ENOSPC before anybody lets go', async () => {
    const { file, told, join } = await setUp();
    await join('host', 'shared');
    const budget = { limit: 2, used: 0, cost: () => 3 };
    await file.register({ name: 'iommu' }, { access: 'private', budget });
    await expect(file.convert(0, 4, 'private')).rejects.toMatchObject({
      code: 'ENOSPC',
      effect: 'none',
      refused: { consumer: 'iommu', page: 0 },
    });
    expect(told).toEqual(['host prepare 0 4 to private', 'host rollback 0 4 to private']);
  });

  it('a lookup answers a page of the other side with EFAULT, a hole with ENOENT', async () => {
    const { file, join } = await setUp();
    const device = await join('device', 'private');
    expect(() => device.lookup(0)).toThrow(expect.objectContaining({ code: 'EFAULT' }));
    expect(() => device.lookup(5)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    await file.convert(0, 1, 'private');
    device.lookup(0).put();
  });
});

describe('the order of a lookup', () => {
  it('ends where the side ends, and where a page is poisoned', async () => {
    const inner = shmem();
    const huge: BackingStore<'huge'> = {
      name: 'huge',
      createFile: (spec) => {
        const file = inner.createFile(spec);
        const { getLockPfn } = file;
        return Object.assign(file, {
          getLockPfn: (page: number) => ({ ...getLockPfn.call(file, page), order: 3 }),
        });
      },
    };
    const file = createMemfile({ plugins: [huge] }).createFile('huge', { size: 8 });
    await file.fallocate(0, 8);
    const consumer = await file.register({});
    const orders = (): number[] =>
      Array.from({ length: 8 }, (_, page) => {
        using lease = consumer.lookup(page);
        return lease.order;
      });
    expect(orders()).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
    await file.convert(4, 6, 'private');
    expect(orders()).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
    await file.poison(1);
    await file.convert(4, 6, 'shared');
    expect(consumer.lookup(0).order).toBe(0);
    expect(consumer.lookup(3).order).toBe(1);
    expect(consumer.lookup(5).order).toBe(2);
  });
});
