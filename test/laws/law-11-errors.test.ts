import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  Journal,
  MemfileError,
  MemoryJournal,
  type JournalEvent,
  type Memfile,
  type MemoryFile,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { SEED } from '../kit/seed.js';

const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem({ maxPages: 64, quota: 12 })] });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  await file.fallocate(0, 4);
  return { memfile, file };
};

/** Rejects or throws with the code, and leaves state and journal as they were. */
async function refused(memfile: Memfile, code: string, call: () => unknown): Promise<MemfileError> {
  const before = JSON.stringify(memfile.state.toJSON());
  const error = await new Promise((resolve, reject) => {
    try {
      Promise.resolve(call()).then(() => reject(new Error('it was not refused')), resolve);
    } catch (thrown) {
      resolve(thrown);
    }
  });
  expect(error).toBeInstanceOf(MemfileError);
  expect(error).toMatchObject({ code, effect: 'none' });
  expect((error as MemfileError).message.startsWith(`${code}: `)).toBe(true);
  expect(JSON.stringify(memfile.state.toJSON())).toBe(before);
  expect(memfile.journal.position).toBe(memfile.state.position);
  return error as MemfileError;
}

const any = (value: unknown): never => value as never;

describe('law 11: errors leave nothing behind', () => {
  it(`bad ranges, whatever they are made of (seed ${SEED})`, async () => {
    const odd = fc.oneof(
      fc.constantFrom(NaN, Infinity, -Infinity, -1, 0.5, 2 ** 53, undefined, null, '3', {}, []),
      fc.integer({ min: -20, max: -1 }),
      fc.double({ noInteger: true }),
    );
    const good = fc.nat(20);
    const bad = fc.oneof(
      fc.tuple(odd, good),
      fc.tuple(good, odd),
      fc.tuple(good, good).map(([a, b]) => [Math.max(a, b), Math.min(a, b)] as const),
    );
    const calls: ((file: MemoryFile, start: never, end: never) => unknown)[] = [
      (file, start, end) => file.fallocate(start, end),
      (file, start, end) => file.punchHole(start, end),
      (file, start, end) => file.register({}, { range: { start, end } }),
    ];
    await fc.assert(
      fc.asyncProperty(bad, fc.constantFrom(...calls), async ([start, end], call) => {
        const { memfile, file } = await setUp();
        await refused(any(memfile), 'EINVAL', () => call(file, any(start), any(end)));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('EINVAL: no notifier, no page count, unknown seal, flag, or replay position', async () => {
    const { memfile, file } = await setUp();
    const all = any(memfile);
    for (const nothing of [undefined, null, 7, 'x']) {
      await refused(all, 'EINVAL', () => file.register(any(nothing)));
    }
    for (const size of [-1, 1.5, NaN, '3']) {
      await refused(all, 'EINVAL', () => file.truncate(any(size)));
      await refused(all, 'EINVAL', () => memfile.createFile('shmem', { size: any(size) }));
    }
    await refused(all, 'EINVAL', () => file.addSeals(any('salt')));
    await refused(all, 'EINVAL', () => file.addSeals());
    await refused(all, 'EINVAL', () => memfile.createFile('shmem', { size: 1, seals: any(['x']) }));
    await refused(all, 'EINVAL', () => memfile.createFile('shmem', { size: 1, flags: any(['x']) }));
    await refused(all, 'EINVAL', () => memfile.replay({ to: memfile.journal.position + 1 }));
  });

  it('EINVAL: options, callbacks, names and reasons of the wrong kind', async () => {
    const { memfile, file } = await setUp();
    const all = any(memfile);
    const reason = any('weird');
    await refused(all, 'EINVAL', () => file.punchHole(0, 1, { reason }));
    await refused(all, 'EINVAL', () => file.fallocate(8, 9, { reason }));
    await refused(all, 'EINVAL', () => file.punchHole(0, 1, { signal: any('now') }));
    await refused(all, 'EINVAL', () => file.register({ invalidate: any('x') }));
    await refused(all, 'EINVAL', () => file.register({ name: any(5) }));
    await refused(all, 'EINVAL', () => file.register({}, { name: any(5) }));
    await refused(all, 'EINVAL', () => memfile.createFile('shmem', any(undefined)));
    await refused(all, 'EINVAL', () => memfile.createFile('shmem', { size: 1, name: any(5) }));
    await refused(all, 'EINVAL', () => memfile.createFile('shmem', { size: 1, flags: any(null) }));
    await refused(all, 'EINVAL', () => file.populated(any('x')));
  });

  it('null where something may be left out is taken as left out', async () => {
    const { file } = await setUp();
    const registration = await file.register({ invalidate: any(null) }, any(null));
    await file.punchHole(0, 1, any(null));
    await file.fallocate(0, 1, any(null));
    await file.truncate(12, any(null));
    expect(registration.snapshot).toEqual([{ start: 0, end: 4 }]);
    expect(file.populated(5, 5)).toEqual([]);
    expect(file.populated(7, 3)).toEqual([]);
  });

  it('EFBIG: past the largest file', async () => {
    const { memfile, file } = await setUp();
    await refused(any(memfile), 'EFBIG', () => file.fallocate(0, 2 ** 51 + 1));
    await refused(any(memfile), 'EFBIG', () => file.truncate(2 ** 51 + 1));
    await refused(any(memfile), 'EFBIG', () => memfile.createFile('shmem', { size: 2 ** 51 + 1 }));
  });

  it('ENOSPC: over the limit before anything is allocated, and midway with undo', async () => {
    const { memfile, file } = await setUp();
    await refused(any(memfile), 'ENOSPC', () => file.fallocate(0, 65));
    const midway = await refused(any(memfile), 'ENOSPC', () => file.fallocate(4, 13));
    expect(midway.message).toContain('quota');
    await file.fallocate(4, 12);
    expect(file.populated()).toEqual([{ start: 0, end: 12 }]);
  });

  it('EPERM: seals, and the size of an inaccessible file', async () => {
    const { memfile, file } = await setUp();
    const all = any(memfile);
    await file.addSeals('grow', 'shrink');
    await refused(all, 'EPERM', () => file.fallocate(15, 17));
    await refused(all, 'EPERM', () => file.fallocate(15, 17, { keepSize: true }));
    await refused(all, 'EPERM', () => file.truncate(17));
    await refused(all, 'EPERM', () => file.truncate(15));
    await file.addSeals('write');
    await refused(all, 'EPERM', () => file.punchHole(0, 1));
    await file.addSeals('seal');
    await refused(all, 'EPERM', () => file.addSeals('grow'));
    const secret = memfile.createFile('shmem', { size: 0, flags: ['inaccessible'] });
    await secret.truncate(4);
    await refused(all, 'EPERM', () => secret.truncate(8));
    await secret.fallocate(0, 1);
    const { lookup } = { lookup: await secret.register({}) };
    using lease = lookup.lookup(0);
    await refused(all, 'EPERM', () => lease.bytes());
  });

  it('EBUSY: sealed against writing while leases are out', async () => {
    const { memfile, file } = await setUp();
    const registration = await file.register({ name: 'dma' });
    const lease = registration.lookup(0);
    await refused(any(memfile), 'EBUSY', () => file.addSeals('write'));
    lease.put();
    await file.addSeals('write');
    expect([...file.seals]).toEqual(['write']);
  });

  it('ENOENT, EINVAL, EBADF, ESTALE: lookups and leases', async () => {
    const { memfile, file } = await setUp();
    const all = any(memfile);
    const registration = await file.register({}, { range: { start: 0, end: 8 } });
    await refused(all, 'ENOENT', () => registration.lookup(5));
    for (const page of [-1, 8, 0.5, NaN]) {
      await refused(all, 'EINVAL', () => registration.lookup(page));
    }
    const lease = registration.lookup(1);
    await file.punchHole(1, 2);
    await refused(all, 'ESTALE', () => lease.bytes());
    lease.put();
    await refused(all, 'EBADF', () => lease.put());
    await refused(all, 'EBADF', () => lease.bytes());
    await registration.unregister();
    await refused(all, 'EBADF', () => registration.lookup(0));
  });

  it('EBADF: after the file is closed, or the memfile torn down', async () => {
    const { memfile, file } = await setUp();
    const all = any(memfile);
    await file.close();
    await expect(file.close()).resolves.toBeUndefined();
    await refused(all, 'EBADF', () => file.fallocate(0, 1));
    await refused(all, 'EBADF', () => file.register({}));
    await memfile[Symbol.asyncDispose]();
    await refused(all, 'EBADF', () => memfile.createFile('shmem', { size: 1 }));
  });

  it('EINTR: a signal that has fired, or fires while the operation is queued', async () => {
    const { memfile, file } = await setUp();
    const why = new Error('changed my mind');
    const signal = AbortSignal.abort(why);
    const error = await refused(any(memfile), 'EINTR', () => file.punchHole(0, 1, { signal }));
    expect(error.cause).toBe(why);
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const first = file.punchHole(0, 2);
    const cancel = new AbortController();
    const second = file.punchHole(1, 3, { signal: cancel.signal });
    const third = file.fallocate(1, 2);
    cancel.abort(why);
    await expect(second).rejects.toMatchObject({ code: 'EINTR', effect: 'none', cause: why });
    letGo();
    await Promise.all([first, third]);
    expect(file.populated()).toEqual([{ start: 1, end: 4 }]);
  });

  it('EOPNOTSUPP: no such store, and contents that a store does not show', async () => {
    const { memfile } = await setUp();
    const error = await refused(any(memfile), 'EOPNOTSUPP', () =>
      memfile.createFile(any('hugetlb'), { size: 1 }),
    );
    expect(error.message).toContain('shmem');
  });

  it('EINVAL: two stores of one name', () => {
    expect(() => createMemfile({ plugins: [shmem(), shmem()] })).toThrow(/EINVAL.*shmem/);
  });
});

/** Fails from the given position on. */
class FailingJournal extends Journal {
  readonly #inner = new MemoryJournal();
  readonly #failsAt: number;

  constructor(failsAt: number) {
    super();
    this.#failsAt = failsAt;
  }

  get position(): number {
    return this.#inner.position;
  }

  append(event: JournalEvent): number {
    if (this.position + 1 >= this.#failsAt) throw new Error('no space left on device');
    return this.#inner.append(event);
  }

  read(from: number, to?: number) {
    return this.#inner.read(from, to);
  }

  subscribe(from: number) {
    return this.#inner.subscribe(from);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

describe('law 10: when the journal cannot write', () => {
  it('a new operation is refused with EIO and changes nothing', async () => {
    const memfile = createMemfile({ plugins: [shmem()], journal: new FailingJournal(3) });
    const file = memfile.createFile('shmem', { size: 8 });
    await file.fallocate(0, 2);
    await refused(any(memfile), 'EIO', () => file.punchHole(0, 1));
    await refused(any(memfile), 'EIO', () => file.fallocate(4, 6));
    await refused(any(memfile), 'EIO', () => file.register({}));
    await refused(any(memfile), 'EIO', () => memfile.createFile('shmem', { size: 1 }));
    expect(file.populated()).toEqual([{ start: 0, end: 2 }]);
  });

  it('a running operation finishes, and says that it is not recorded', async () => {
    const memfile = createMemfile({ plugins: [shmem()], journal: new FailingJournal(5) });
    const file = memfile.createFile('shmem', { size: 8 });
    await file.fallocate(0, 2);
    const told: string[] = [];
    await file.register({
      invalidate: () => void told.push('begin'),
      invalidateEnd: () => void told.push('end'),
    });
    await expect(file.punchHole(0, 1)).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    expect(told).toEqual(['begin', 'end']);
    expect(file.populated()).toEqual([{ start: 1, end: 2 }]);
  });
});
