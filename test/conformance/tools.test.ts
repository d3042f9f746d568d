import { describe, expect, it } from 'vitest';
import {
  MemfileError,
  MemoryJournal,
  type MemoryFile,
  type Registration,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import {
  createTestMemfile,
  failingJournal,
  failingStore,
  given,
  HostileConsumer,
  hostileStore,
  recordingConsumer,
  type ConsumerHostility,
} from '../kit/index.js';
import { allSettled, isPending } from '../kernel/waiting.js';

const setUp = () => {
  const test = createTestMemfile();
  return { test, file: test.memfile.createFile('shmem', { size: 16, name: 'ram' }) };
};

describe('createTestMemfile', () => {
  it('is taken down without a word when everything was given back', async () => {
    const { test, file } = setUp();
    await file.fallocate(0, 4);
    const registration = await file.register({});
    registration.lookup(1).put();
    await registration.unregister();
    expect(test.leaks()).toEqual([]);
    await test[Symbol.asyncDispose]();
    expect(test.memfile.files.size).toBe(0);
  });

  it('names the leases and registrations that were left behind', async () => {
    const { test, file } = setUp();
    await file.fallocate(0, 4);
    const registration = await file.register({ name: 'device' });
    registration.lookup(2);
    await expect(test[Symbol.asyncDispose]()).rejects.toThrow(
      'left behind: "device" has 1 leases of frame 3, looked up as page 2; ' +
        '"device" is still registered on file 1',
    );
    expect(test.memfile.files.size).toBe(0);
  });

  it('has a clock that a test moves, and says what stalls', async () => {
    const { test, file } = setUp();
    await file.fallocate(0, 4);
    const slow = await HostileConsumer.register(file, 'slow');
    const punch = file.punchHole(0, 4);
    test.clock.advance(999);
    expect(test.stalls).toEqual([]);
    test.clock.advance(1);
    expect(test.stalls).toMatchObject([{ consumer: 'slow consumer' }]);
    slow.release();
    await slow.registration.unregister();
    await punch;
  });
});

describe('recordingConsumer', () => {
  it('writes down what it is told, clipped', async () => {
    const { file } = setUp();
    const recording = recordingConsumer({ name: 'r', votes: true });
    await file.register(recording, { range: { start: 2, end: 6 } });
    await file.fallocate(0, 4);
    await file.punchHole(3, 9);
    expect(recording.lines).toEqual([
      'prepare [2, 4)',
      'fallocate [2, 4)',
      'invalidate [3, 6)',
      'invalidateEnd [3, 6)',
    ]);
    const last = { type: 'invalidateEnd', start: 3, end: 6, position: 6, reason: 'punch' };
    expect(recording.told.at(-1)).toEqual(last);
  });
});

describe('HostileConsumer', () => {
  const hostile = async (
    hostility: ConsumerHostility,
  ): Promise<{ readonly file: MemoryFile; readonly consumer: HostileConsumer }> => {
    const { file } = setUp();
    await file.fallocate(0, 4);
    return { file, consumer: await HostileConsumer.register(file, hostility) };
  };

  it('slow: holds an operation up until it is released', async () => {
    const { file, consumer } = await hostile('slow');
    const punch = file.punchHole(0, 2);
    expect(await isPending(punch)).toBe(true);
    consumer.release();
    expect(await isPending(punch)).toBe(true); // The end is told, too.
    consumer.release();
    await punch;
    expect(consumer.lines).toEqual(['invalidate [0, 2)', 'invalidateEnd [0, 2)']);
  });

  it.each(['throwing', 'rejecting'] as const)(
    '%s: refuses pages, and fails to let go',
    async (how) => {
      const { file, consumer } = await hostile(how);
      await expect(file.fallocate(8, 9)).rejects.toMatchObject({ code: 'EBUSY', effect: 'none' });
      await expect(file.punchHole(0, 2)).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
      expect(consumer.lines).toEqual([
        'prepare [8, 9)',
        'invalidate [0, 2)',
        'invalidateEnd [0, 2)',
      ]);
    },
  );

  it('re-entrant: punches what it is told of, once', async () => {
    const { file, consumer } = await hostile('re-entrant');
    await file.fallocate(4, 6);
    await allSettled();
    expect(file.populated()).toEqual([{ start: 0, end: 4 }]);
    expect(consumer.lines.filter((line) => line.startsWith('invalidate '))).toHaveLength(1);
  });

  it('leaving: is told once, and never again', async () => {
    const { file, consumer } = await hostile('leaving');
    await file.punchHole(0, 2);
    await file.punchHole(2, 4);
    expect(consumer.lines).toEqual(['invalidate [0, 2)']);
    expect(file.registrations).toBe(0);
  });
});

describe('faults by operation and count', () => {
  it('fail the third allocate, over all files, and nothing else', async () => {
    const { memfile } = createTestMemfile({
      plugins: [failingStore(shmem(), 'allocate', { count: 3 })],
    });
    const [a, b] = [0, 1].map(() => memfile.createFile('shmem', { size: 4 })) as [
      MemoryFile,
      MemoryFile,
    ];
    await a.fallocate(0, 1);
    await b.fallocate(0, 1);
    await expect(a.fallocate(1, 2)).rejects.toThrow('EIO: input/output error, allocate: call 3');
    expect(a.populated()).toEqual([{ start: 0, end: 1 }]);
    await a.fallocate(1, 2);
  });

  it('fail with an error of choice, also when a file is created', () => {
    const error = new MemfileError('ENOSPC', 'createFile', 'no inode is left');
    const { memfile } = createTestMemfile({
      plugins: [failingStore(shmem(), 'createFile', { count: 1, error })],
    });
    expect(() => memfile.createFile('shmem', { size: 4 })).toThrow(error);
    memfile.createFile('shmem', { size: 4 });
  });

  it('fail an append of the journal: what it was for is refused (law 10)', async () => {
    const journal = failingJournal(new MemoryJournal(), 'append', { count: 2 });
    const { memfile } = createTestMemfile({ plugins: [shmem()], journal });
    const file = memfile.createFile('shmem', { size: 4 });
    const refused = file.fallocate(0, 1);
    await expect(refused).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
    await expect(refused).rejects.toThrow('call 2 of append fails on purpose');
    expect(memfile.journal.position).toBe(1);
    expect(file.populated()).toEqual([]);
  });
});

describe('given, when', () => {
  it('passes when exactly these events are recorded', async () => {
    const { test, file } = setUp();
    await given(file, test.memfile.journal, () => file.fallocate(0, 8))
      .when(() => file.punchHole(2, 4))
      .recorded({ type: 'invalidate', start: 2, end: 4 }, { type: 'invalidateEnd', end: 4 });
  });

  it.each([
    ['too few', [{ type: 'invalidate' }]],
    ['too many', [{ type: 'invalidate' }, { type: 'invalidateEnd' }, { type: 'close' }]],
    ['others', [{ type: 'invalidate', start: 3 }, { type: 'invalidateEnd' }]],
  ] as const)('fails when %s are expected, and shows both', async (_, expected) => {
    const { test, file } = setUp();
    const outcome = given(file, test.memfile.journal, () => file.fallocate(0, 8))
      .when(() => file.punchHole(2, 4))
      .recorded(...expected);
    await expect(outcome).rejects.toThrow(
      /^expected to be recorded\n {2}\{"type":"invalidate".*was recorded\n.*"start":2,"end":4/s,
    );
  });

  it('knows what is refused, and that nothing is recorded then', async () => {
    const { test, file } = setUp();
    const sealed = given(file, test.memfile.journal, () => file.addSeals('write'));
    await sealed.when(() => file.punchHole(0, 1)).refused('EPERM');
    const allowed = given(file, test.memfile.journal).when(() => file.fallocate(0, 1));
    await expect(allowed.refused('EPERM')).rejects.toThrow('expected EPERM, got no error');
  });
});

describe('hostileStore', () => {
  it('answers a wrong frame, which a lookup refuses', async () => {
    const { memfile } = createTestMemfile({ plugins: [hostileStore(shmem(), 'wrong pfn')] });
    const file = memfile.createFile('shmem', { size: 4 });
    await file.fallocate(0, 1);
    const registration: Registration = await file.register({});
    expect(() => registration.lookup(0)).toThrow(/the store answers frame 2 .* was given frame 1/);
  });
});
