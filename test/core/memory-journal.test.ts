import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemoryJournal,
  type JournalEvent,
  type Recorded,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { isPending } from '../kernel/waiting.js';
import { journalEvent } from '../kit/journals/events.js';

const closing = (file: number): JournalEvent => ({ type: 'close', file });
const leaving = (file: number): JournalEvent => ({ type: 'unregister', file, registration: 1 });

const filled = (count: number): MemoryJournal => {
  const journal = new MemoryJournal();
  // One kind is kept in rows, the other beside them.
  for (let i = 1; i <= count; i++) journal.append(i % 3 === 0 ? closing(i) : leaving(i));
  return journal;
};

const positions = (events: Iterable<Recorded>): number[] =>
  [...events].map(({ position }) => position);

describe('MemoryJournal', () => {
  it('refuses to append after close with EBADF, and can still be read', async () => {
    const journal = filled(2);
    await journal.close();
    expect(() => journal.append(closing(3))).toThrow(
      expect.objectContaining({ code: 'EBADF', syscall: 'append' }),
    );
    expect(journal.position).toBe(2);
    expect(positions(journal.read(1))).toEqual([1, 2]);
    await expect(journal.close()).resolves.toBeUndefined();
  });

  it('is empty at position 0', () => {
    const journal = new MemoryJournal();
    expect(journal.position).toBe(0);
    expect([...journal.read(1)]).toEqual([]);
    expect([...journal.read(0, 100)]).toEqual([]);
  });

  it('counts positions from 1, without gaps', () => {
    const journal = new MemoryJournal();
    expect([1, 2, 3].map((file) => journal.append(closing(file)))).toEqual([1, 2, 3]);
    expect(journal.position).toBe(3);
    expect([...journal.read(1)]).toEqual([
      { type: 'close', file: 1, position: 1 },
      { type: 'close', file: 2, position: 2 },
      { type: 'close', file: 3, position: 3 },
    ]);
  });

  it.each([
    [1, undefined, [1, 2, 3, 4, 5]],
    [1, 1, []],
    [1, 2, [1]],
    [3, 5, [3, 4]],
    [5, 6, [5]],
    [5, 100, [5]],
    [6, undefined, []],
    [4, 2, []],
    [0, 3, [1, 2]],
  ])('reads [%s, %s)', (from, to, expected) => {
    expect(positions(filled(5).read(from, to))).toEqual(expected);
  });

  it('reads up to where it stood when read was called', () => {
    const journal = filled(2);
    const read = journal.read(1);
    journal.append(closing(3));
    expect(positions(read)).toEqual([1, 2]);
    expect(positions(journal.read(1))).toEqual([1, 2, 3]);
  });

  it('keeps every event as it was, over many segments', () => {
    const journal = filled(10_000);
    const events = [...journal.read(1)];
    expect(events).toHaveLength(10_000);
    for (const [index, event] of events.entries()) {
      const file = index + 1;
      const expected = file % 3 === 0 ? closing(file) : leaving(file);
      if (
        event.position !== file ||
        event.type !== expected.type ||
        !('file' in event) ||
        event.file !== file
      ) {
        expect(event).toEqual({ ...expected, position: file });
      }
    }
    expect(positions(journal.read(4096, 4099))).toEqual([4096, 4097, 4098]);
  });

  it('finds every position, however large its segments have grown', () => {
    const count = 70_000;
    const journal = filled(count);
    for (let position = 1; position <= count; position += position % 512 > 509 ? 1 : 509) {
      expect(positions(journal.read(position, position + 2))[0]).toBe(position);
    }
    const pieces = [...journal.pieces(1)];
    expect(pieces[0]!.first).toBe(1);
    for (const [index, piece] of pieces.slice(1).entries()) {
      expect(piece.first).toBe(pieces[index]!.end);
    }
    journal.saveCheckpoint({ position: 40_000, version: 1, state: '' });
    expect(journal.truncate(60_000, 1)).toBe(40_001);
    expect(positions(journal.read(1, 40_003))).toEqual([40_001, 40_002]);
    expect(positions(journal.read(count - 1))).toEqual([count - 1, count]);
  });

  it('has every event appended by who has an append of their own', async () => {
    class Told extends MemoryJournal {
      readonly events: JournalEvent[] = [];

      override append(event: JournalEvent): number {
        this.events.push(event);
        return super.append(event);
      }
    }
    const journal = new Told();
    const file = createMemfile({ plugins: [shmem()], journal }).createFile('shmem', { size: 8 });
    const registration = await file.register({});
    await file.fallocate(0, 4);
    registration.lookup(3).put();
    await file.punchHole(0, 4);
    const { events } = journal;
    const leases = ['lookup', 'put'];
    const types = ['createFile', 'register', 'fallocate', ...leases, 'invalidate', 'invalidateEnd'];
    expect(events.map(({ type }) => type)).toEqual(types);
    expect([...journal.read(1)]).toEqual(
      events.map((event, index) => ({ ...event, position: index + 1 })),
    );
  });

  it('gives back any event', () => {
    fc.assert(
      fc.property(fc.array(journalEvent, { maxLength: 20 }), (events) => {
        const journal = new MemoryJournal();
        for (const event of events) journal.append(event);
        expect(journal.position).toBe(events.length);
        expect([...journal.read(1)]).toEqual(
          events.map((event, index) => ({ ...event, position: index + 1 })),
        );
      }),
    );
  });

  describe('subscribe', () => {
    it('ends without an event when nothing is left and the journal is closed', async () => {
      const journal = filled(2);
      await journal.close();
      const events = journal.subscribe(3)[Symbol.asyncIterator]();
      await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
    });

    it('catches up, follows, and ends at close', async () => {
      const journal = filled(3);
      const seen: number[] = [];
      const following = (async () => {
        for await (const { position } of journal.subscribe(2)) seen.push(position);
      })();
      expect(await isPending(following)).toBe(true);
      expect(seen).toEqual([2, 3]);
      journal.append(closing(4));
      journal.append(leaving(5));
      expect(await isPending(following)).toBe(true);
      expect(seen).toEqual([2, 3, 4, 5]);
      journal.append(closing(6));
      await journal.close();
      await following;
      expect(seen).toEqual([2, 3, 4, 5, 6]);
    });

    it('ends at close while it waits for more', async () => {
      const journal = filled(1);
      const events = journal.subscribe(2)[Symbol.asyncIterator]();
      const next = events.next();
      expect(await isPending(next)).toBe(true);
      await journal.close();
      expect(await isPending(next)).toBe(false);
      await expect(next).resolves.toEqual({ done: true, value: undefined });
    });

    it('may begin before the first event, and past the last', async () => {
      const journal = new MemoryJournal();
      const seen: number[][] = [[], []];
      const following = [0, 3].map(async (from, who) => {
        for await (const { position } of journal.subscribe(from)) seen[who]!.push(position);
      });
      for (const file of [1, 2, 3, 4]) journal.append(closing(file));
      await journal.close();
      await Promise.all(following);
      expect(seen).toEqual([
        [1, 2, 3, 4],
        [3, 4],
      ]);
    });

    it('serves several at their own pace', async () => {
      const journal = filled(2);
      const slow = journal.subscribe(1)[Symbol.asyncIterator]();
      const quick = journal.subscribe(1)[Symbol.asyncIterator]();
      await quick.next();
      await quick.next();
      const third = quick.next();
      expect(await isPending(third)).toBe(true);
      journal.append(closing(3));
      await expect(third).resolves.toMatchObject({ value: { position: 3 } });
      await expect(slow.next()).resolves.toMatchObject({ value: { position: 1 } });
    });
  });
});
