import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  type MemoryFile,
  type Notifier,
  type RegisterOptions,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import {
  EINVAL,
  EOPNOTSUPP,
  Inode,
  KernelBug,
  MemfileNotifier,
  ShmemInode,
  V4Kernel,
} from '../museum/v4.js';
import { gate, isPending } from './waiting.js';

/** The seed, with a file of the only store it knows. */
const v4 = ({ shmem = true } = {}) => {
  const kernel = new V4Kernel({ shmem });
  return { kernel, inode: new ShmemInode(kernel) };
};

const ours = () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  return { memfile, file: memfile.createFile('shmem', { size: 16, name: 'ram' }) };
};

/** As a caller without types may call. */
const registerAnything = (
  file: MemoryFile,
  notifier: unknown,
  options?: RegisterOptions,
): Promise<unknown> => file.register(notifier as Notifier, options);

describe('row 1', () => {
  const name = 'row 1: registering nothing is EINVAL and leaves the list as it was';

  it(`${name} — seed`, () => {
    const { kernel, inode } = v4();
    const notifier = new MemfileNotifier({});
    expect(kernel.registerNotifier(null, notifier, {})).toBe(-EINVAL);
    expect(kernel.registerNotifier(inode, null, {})).toBe(-EINVAL);
    expect(kernel.registerNotifier(inode, notifier, null)).toBe(-EINVAL);
    expect(inode.notifiers.length).toBe(0);
    expect(kernel.registerNotifier(inode, notifier, {})).toBe(0);
    expect(inode.notifiers.length).toBe(1);
  });

  it.each([null, undefined, 0, 'kvm', Symbol('kvm'), () => {}])(
    `${name} — memfile (%s)`,
    async (nothing) => {
      const { memfile, file } = ours();
      const { position } = memfile.journal;
      await expect(registerAnything(file, nothing)).rejects.toMatchObject({
        code: 'EINVAL',
        syscall: 'register',
        effect: 'none',
      });
      expect(file.registrations).toBe(0);
      expect(memfile.journal.position).toBe(position);
    },
  );

  it(`${name} — memfile (an empty range)`, async () => {
    const { memfile, file } = ours();
    const { position } = memfile.journal;
    const range = { start: 4, end: 4 };
    await expect(registerAnything(file, {}, { range })).rejects.toMatchObject({ code: 'EINVAL' });
    expect(file.registrations).toBe(0);
    expect(memfile.journal.position).toBe(position);
  });
});

describe('row 2', () => {
  const name = 'row 2: a file that no store claims';

  it(`${name} — seed`, () => {
    const stranger = new Inode('ext4');
    const withShmem = v4();
    const without = v4({ shmem: false });
    expect(withShmem.kernel.registerNotifier(stranger, new MemfileNotifier({}), {})).toBe(-EINVAL);
    expect(without.kernel.registerNotifier(stranger, new MemfileNotifier({}), {})).toBe(
      -EOPNOTSUPP,
    );
    expect(without.kernel.registerNotifier(without.inode, new MemfileNotifier({}), {})).toBe(
      -EOPNOTSUPP,
    );
  });

  it(`${name} — memfile`, () => {
    const other = { ...shmem(), name: 'hugetlb' } as const;
    const memfile = createMemfile({ plugins: [shmem(), other] });
    const { position } = memfile.journal;
    expect(() => memfile.createFile('ext4' as 'shmem', { size: 1 })).toThrow(
      expect.objectContaining({
        code: 'EOPNOTSUPP',
        syscall: 'createFile',
        effect: 'none',
        message: expect.stringMatching(/"ext4".*shmem, hugetlb/),
      }),
    );
    expect(memfile.files.size).toBe(0);
    expect(memfile.journal.position).toBe(position);
  });

  it(`${name} — memfile (there is no store at all)`, () => {
    const memfile = createMemfile({ plugins: [] });
    expect(() => memfile.createFile('shmem' as never, { size: 1 } as never)).toThrow(
      expect.objectContaining({
        code: 'EOPNOTSUPP',
        message: expect.stringContaining('none'),
      }),
    );
  });
});

describe('row 3', () => {
  const name = 'row 3: unregistering what is not there';

  it(`${name} — seed`, async () => {
    const { kernel, inode } = v4();
    const notifier = new MemfileNotifier({});
    await expect(kernel.unregisterNotifier(null, notifier)).resolves.toBeUndefined();
    await expect(kernel.unregisterNotifier(inode, null)).resolves.toBeUndefined();
    await expect(kernel.unregisterNotifier(new Inode('ext4'), notifier)).rejects.toThrow(KernelBug);
  });

  const left = async () => {
    const { memfile, file } = ours();
    const told: string[] = [];
    const registration = await file.register({ invalidate: () => void told.push('invalidate') });
    const rows = () => [...memfile.journal.read(1)].filter(({ type }) => type === 'unregister');
    return { memfile, file, told, registration, rows };
  };

  it(`${name} — memfile`, async () => {
    const { file, told, registration, rows } = await left();
    registration.unsubscribe();
    registration.unsubscribe();
    await expect(registration.unregister()).resolves.toBeUndefined();
    await expect(registration.unregister()).resolves.toBeUndefined();
    await expect(registration.closed).resolves.toBeUndefined();
    expect(registration.active).toBe(false);
    expect(file.registrations).toBe(0);
    expect(rows()).toHaveLength(1);
    await file.punchHole(0, 1);
    expect(told).toEqual([]);
  });

  it(`${name} — memfile (its file is closed)`, async () => {
    const { file, registration, rows } = await left();
    await file.close();
    registration.unsubscribe();
    await expect(registration.unregister()).resolves.toBeUndefined();
    expect(rows()).toHaveLength(1);
  });

  it(`${name} — memfile (everything is torn down)`, async () => {
    const { memfile, registration, rows } = await left();
    await memfile[Symbol.asyncDispose]();
    registration.unsubscribe();
    await expect(registration.unregister()).resolves.toBeUndefined();
    expect(rows()).toHaveLength(1);
  });

  it(`${name} — memfile (twice inside its own callback)`, async () => {
    const { file, rows } = await left();
    const calls: string[] = [];
    const registration = await file.register({
      invalidate: () => {
        calls.push('invalidate');
        registration.unsubscribe();
        registration.unsubscribe();
      },
      invalidateEnd: () => void calls.push('invalidateEnd'),
    });
    await file.punchHole(0, 1);
    expect(calls).toEqual(['invalidate']);
    expect(rows()).toHaveLength(1);
    await expect(registration.unregister()).resolves.toBeUndefined();
  });
});

describe('row 4', () => {
  const name = 'row 4: callbacks that are missing are skipped, others are called';

  it(`${name} — seed`, async () => {
    const { kernel, inode } = v4();
    const told: string[] = [];
    const whole = (who: string) =>
      new MemfileNotifier({
        invalidate: () => told.push(`${who} invalidate`),
        fallocate: () => told.push(`${who} fallocate`),
      });
    for (const notifier of [
      whole('first'),
      new MemfileNotifier(null),
      new MemfileNotifier({}),
      new MemfileNotifier({ invalidate: null, fallocate: null }),
      new MemfileNotifier({ fallocate: () => told.push('half fallocate') }),
      whole('last'),
    ]) {
      expect(kernel.registerNotifier(inode, notifier, {})).toBe(0);
    }
    await inode.fallocate(0, 1);
    await inode.punchHole(0, 1);
    expect(told).toEqual([
      'last fallocate',
      'half fallocate',
      'first fallocate',
      'last invalidate',
      'first invalidate',
    ]);
  });

  it(`${name} — memfile`, async () => {
    const { memfile, file } = ours();
    const told: string[] = [];
    const whole = (who: string): Notifier => ({
      fallocate: () => void told.push(`${who} fallocate`),
      invalidate: () => void told.push(`${who} invalidate`),
      invalidateEnd: () => void told.push(`${who} end`),
    });
    await file.register(whole('first'));
    await file.register({});
    await file.register({ fallocate: undefined, invalidate: undefined, invalidateEnd: undefined });
    await file.register({ fallocate: () => void told.push('half fallocate') });
    await file.register({ invalidateEnd: () => void told.push('half end') });
    await file.register(whole('last'));
    await file.fallocate(0, 1);
    await file.punchHole(0, 1);
    expect(told).toEqual([
      'first fallocate',
      'half fallocate',
      'last fallocate',
      'last invalidate',
      'first invalidate',
      'first end',
      'half end',
      'last end',
    ]);
    expect([...memfile.journal.read(1)].filter(({ type }) => type === 'failure')).toEqual([]);
  });
});

describe('row 5', () => {
  const name = 'row 5: the order in which A, then B, are told';

  it(`${name} — seed`, async () => {
    const { kernel, inode } = v4();
    const told: string[] = [];
    for (const who of ['A', 'B']) {
      kernel.registerNotifier(
        inode,
        new MemfileNotifier({
          invalidate: () => told.push(`${who} invalidate`),
          fallocate: () => told.push(`${who} fallocate`),
        }),
        {},
      );
    }
    await inode.fallocate(0, 1);
    await inode.punchHole(0, 1);
    expect(told).toEqual(['B fallocate', 'A fallocate', 'B invalidate', 'A invalidate']);
  });

  it(`${name} — memfile`, async () => {
    const { file } = ours();
    const told: string[] = [];
    const consumer = (who: string): Notifier => ({
      fallocate: () => void told.push(`${who} fallocate`),
      invalidate: () => void told.push(`${who} invalidate`),
      invalidateEnd: () => void told.push(`${who} end`),
    });
    // B is found by its range, A because it has the whole file; the order is one all the same.
    await file.register(consumer('A'));
    await file.register(consumer('B'), { range: { start: 0, end: 4 } });
    await file.register(consumer('C'));
    await file.fallocate(0, 1);
    expect(told.splice(0)).toEqual(['A fallocate', 'B fallocate', 'C fallocate']);
    await file.punchHole(0, 1);
    expect(told.splice(0)).toEqual([
      'C invalidate',
      'B invalidate',
      'A invalidate',
      'A end',
      'B end',
      'C end',
    ]);
  });
});

describe('row 6', () => {
  const name = 'row 6: whose callbacks unregister waits for';

  it(`${name} — seed`, async () => {
    const { kernel, inode: a } = v4();
    const b = new ShmemInode(kernel);
    const [called, slow] = [gate(), gate()];
    const idle = new MemfileNotifier({});
    const sleeper = new MemfileNotifier({
      invalidate: () => {
        called.open();
        return slow.opened;
      },
    });
    kernel.registerNotifier(a, idle, {});
    kernel.registerNotifier(b, sleeper, {});
    await b.fallocate(0, 1);
    const punched = b.punchHole(0, 1);
    await called.opened;
    const gone = kernel.unregisterNotifier(a, idle);
    expect(a.notifiers.length).toBe(0);
    expect(await isPending(gone)).toBe(true); // Of another file, and it waits.
    slow.open();
    await expect(gone).resolves.toBeUndefined();
    await expect(punched).resolves.toBe(0);
  });

  it(`${name} — memfile`, async () => {
    const { memfile, file: a } = ours();
    const b = memfile.createFile('shmem', { size: 16 });
    const slow = gate();
    const waiting: Notifier = { invalidate: () => slow.opened };
    const idle = await a.register({ invalidate: () => {} });
    await a.register(waiting, { name: 'of the same file' });
    await b.register(waiting, { name: 'of another file' });
    const punched = Promise.all([a.punchHole(0, 1), b.punchHole(0, 1)]);
    // Resolves while both of them sit in their callbacks; otherwise this test never ends.
    await expect(idle.unregister()).resolves.toBeUndefined();
    expect(await isPending(punched)).toBe(true);
    slow.open();
    await punched;
  });

  it(`${name} — memfile (its own, asynchronous work included)`, async () => {
    const { file } = ours();
    const slow = gate();
    const log: string[] = [];
    const registration = await file.register({
      invalidate: async () => {
        await slow.opened;
        log.push('let go');
      },
      invalidateEnd: () => void log.push('end'),
    });
    const punched = file.punchHole(0, 1).then(() => log.push('punched'));
    const gone = registration.unregister().then(() => log.push('gone'));
    expect(await isPending(gone)).toBe(true);
    expect(log).toEqual([]);
    slow.open();
    await Promise.all([gone, punched]);
    expect(log[0]).toBe('let go');
    expect(new Set(log)).toEqual(new Set(['let go', 'gone', 'punched']));
  });
});
