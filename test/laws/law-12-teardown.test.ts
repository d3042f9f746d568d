import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemoryJournal,
  type BackingStore,
  type StallReport,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { VirtualClock } from '../kit/tools/virtual-clock.js';
import { settle } from '../kit/small.js';

/** Shmem under another name that says when it is closed. */
function named<N extends string>(name: N, close: () => void): BackingStore<N> {
  const inner = shmem();
  return { name, createFile: (spec) => inner.createFile(spec), close };
}

describe('law 12: teardown', () => {
  it('consumers, then files, then stores, then the journal; the newest first', async () => {
    const order: string[] = [];
    const journal = new MemoryJournal();
    const close = journal.close.bind(journal);
    journal.close = () => {
      order.push('journal');
      return close();
    };
    const memfile = createMemfile({
      plugins: [named('a', () => order.push('store a')), named('b', () => order.push('store b'))],
      journal,
    });
    for (const store of ['a', 'b'] as const) {
      const file = memfile.createFile(store, { size: 4, name: `file ${store}` });
      await file.fallocate(0, 4);
      const registration = await file.register({
        name: `consumer ${store}`,
        invalidate: () => void order.push('told'),
      });
      void registration.closed.then(() => order.push(`consumer ${store}`));
    }
    await memfile[Symbol.asyncDispose]();
    expect(order).toEqual(['consumer b', 'consumer a', 'store b', 'store a', 'journal']);
    const closed = [...journal.read(1)].filter(({ type }) => type === 'close');
    expect(closed.map((event) => 'file' in event && event.file)).toEqual([2, 1]);
    expect(memfile.files.size).toBe(0);
  });

  it('one failure does not stop the rest, and all are reported together', async () => {
    const memfile = createMemfile({
      plugins: [
        named('a', () => {
          throw new Error('store a is stuck');
        }),
        named('b', () => {
          throw new Error('store b is stuck');
        }),
      ],
    });
    await expect(memfile[Symbol.asyncDispose]()).rejects.toMatchObject({
      errors: [{ message: 'store b is stuck' }, { message: 'store a is stuck' }],
    });
    expect(() => memfile.journal.append({ type: 'close', file: 1 })).toThrow('EBADF');
  });

  it('evicts, after its deadline and not before, who does not let go', async () => {
    const clock = new VirtualClock();
    const memfile = createMemfile({ plugins: [shmem()], clock, teardownDeadlineMs: 300 });
    const file = memfile.createFile('shmem', { size: 4 });
    await file.fallocate(0, 4);
    await file.register({ name: 'stuck', invalidate: () => new Promise<void>(() => {}) });
    const punch = file.punchHole(0, 2);
    const refused = expect(punch).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    let over = false;
    const teardown = memfile[Symbol.asyncDispose]().finally(() => (over = true));
    const reported = expect(teardown).rejects.toThrow(/"stuck" has not let go within 300 ms/);
    clock.advance(299);
    await settle();
    expect(over).toBe(false);
    clock.advance(1);
    await Promise.all([refused, reported]);
    expect(memfile.state.quarantined).toHaveLength(1);
    expect(memfile.files.size).toBe(0);
  });

  it('leaves no timer behind when everybody lets go', async () => {
    const clock = new VirtualClock();
    const memfile = createMemfile({ plugins: [shmem()], clock });
    memfile.createFile('shmem', { size: 4 });
    await memfile[Symbol.asyncDispose]();
    expect(clock.pending).toBe(0);
  });

  it('is done once, even when its own parts ask for it', async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    let disposed = 0;
    const refusals: string[] = [];
    memfile.own({
      [Symbol.dispose]() {
        disposed++;
        void memfile[Symbol.asyncDispose]();
        try {
          memfile.own({ [Symbol.dispose]: () => disposed++ });
        } catch (error) {
          refusals.push((error as Error).message);
        }
      },
    });
    await memfile[Symbol.asyncDispose]();
    expect({ disposed, refusals }).toEqual({
      disposed: 1,
      refusals: [expect.stringContaining('EBADF')],
    });
  });

  it('gives a part that hangs its time, and the others theirs', async () => {
    const clock = new VirtualClock();
    const memfile = createMemfile({
      plugins: [named('a', () => {})],
      clock,
      teardownDeadlineMs: 50,
    });
    let ended = 0;
    memfile.own({ [Symbol.asyncDispose]: async () => void ended++ });
    class Hanging {
      [Symbol.asyncDispose](): Promise<void> {
        return new Promise(() => {});
      }
    }
    memfile.own(new Hanging());
    const teardown = memfile[Symbol.asyncDispose]();
    const reported = expect(teardown).rejects.toMatchObject({
      errors: [
        expect.objectContaining({ message: expect.stringContaining('Hanging was not over') }),
      ],
    });
    clock.advance(50);
    await reported;
    expect(ended).toBe(1);
  });

  it('does not wait for ever for a store or a journal', async () => {
    const clock = new VirtualClock();
    const hanging: BackingStore<'a'> = {
      name: 'a',
      createFile: (spec) => shmem().createFile(spec),
      close: () => new Promise(() => {}),
    };
    const memfile = createMemfile({ plugins: [hanging], clock, teardownDeadlineMs: 50 });
    const reported = expect(memfile[Symbol.asyncDispose]()).rejects.toThrow(
      /store "a" was not over/,
    );
    await settle();
    clock.advance(50);
    await reported;
    expect(clock.pending).toBe(0);
  });

  it('is done once, however often it is asked for', async () => {
    let closed = 0;
    const memfile = createMemfile({ plugins: [named('a', () => closed++)] });
    await Promise.all([memfile[Symbol.asyncDispose](), memfile[Symbol.asyncDispose]()]);
    expect(closed).toBe(1);
  });

  it('nothing starts any more once it has begun, and what had started ends', async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 4 });
    await file.fallocate(0, 4);
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const started = file.punchHole(0, 1);
    const teardown = memfile[Symbol.asyncDispose]();
    const { position } = memfile.state;
    const refused = { code: 'EBADF', message: expect.stringContaining('is being torn down') };
    await expect(file.fallocate(0, 1)).rejects.toMatchObject(refused);
    await expect(file.punchHole(1, 2)).rejects.toMatchObject(refused);
    await expect(file.register({})).rejects.toMatchObject(refused);
    expect(() => memfile.createFile('shmem', { size: 1 })).toThrow('is being torn down');
    expect(memfile.state.position).toBe(position);
    letGo();
    await Promise.all([started, teardown]);
    expect(memfile.files.size).toBe(0);
  });

  it('refuses a consumer that would wait for it with EDEADLK', async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 4 });
    await file.fallocate(0, 4);
    let code = '';
    await file.register({
      invalidate: (_start, _end, event) => {
        try {
          event.waitUntil(memfile[Symbol.asyncDispose]());
        } catch (error) {
          ({ code } = error as { code: string });
        }
      },
    });
    await file.punchHole(0, 1);
    expect(code).toBe('EDEADLK');
  });
});

describe('law 6: the stall report', () => {
  /** A file whose consumers are reported when they take 50 ms. */
  const stalling = async () => {
    const clock = new VirtualClock();
    const reports: StallReport[] = [];
    const memfile = createMemfile({
      plugins: [shmem()],
      clock,
      stallAfterMs: 50,
      onStall: (report) => reports.push(report),
    });
    const file = memfile.createFile('shmem', { size: 8, name: 'ram' });
    await file.fallocate(0, 8);
    return { clock, reports, file };
  };

  it('names section, consumer, operation, age and what is waited for', async () => {
    const { clock, reports, file } = await stalling();
    const registration = await file.register({
      name: 'vm',
      // Awaits, inside its own code, what cannot come before it ends: nobody can know beforehand.
      invalidate: async (start) => {
        if (start === 0) await file.punchHole(0, 1);
      },
    });
    const punch = file.punchHole(0, 4);
    clock.advance(49);
    expect(reports).toEqual([]);
    clock.advance(1);
    expect(reports).toEqual([
      {
        section: 'invalidate [0, 4) of "vm"',
        consumer: 'vm',
        operation: 'punchHole [0, 4) of "ram"',
        ageMs: 50,
        waitingFor: ['punchHole [0, 1) of "ram"'],
      },
    ]);
    registration.evict();
    await expect(punch).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    expect(clock.pending).toBe(0);
  });

  it('does not blame a consumer for what another one started', async () => {
    const { clock, reports, file } = await stalling();
    let letGo = (): void => {};
    const slow = { invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) };
    await file.register(slow, { name: 'older', range: { start: 0, end: 3 } });
    let later: Promise<void> | undefined;
    await file.register({ invalidate: () => void (later ??= file.punchHole(3, 5)) });
    const punch = file.punchHole(0, 4);
    clock.advance(50);
    const [report] = reports;
    expect(report).toMatchObject({ consumer: 'older', waitingFor: [] });
    letGo();
    await Promise.all([punch, later]);
  });
});
