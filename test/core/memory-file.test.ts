import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createMemfile, type Notification, type NotifierEvent } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const setUp = () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  return { memfile, file: memfile.createFile('shmem', { size: 16, name: 'ram' }) };
};

describe('one operation', () => {
  it('tells consumers inside the call, newest first, ends reversed, clipped', async () => {
    const { memfile, file } = setUp();
    await file.fallocate(0, 8);
    const told: string[] = [];
    const consumer = (name: string) => ({
      name,
      fallocate: (s: number, e: number) => void told.push(`${name} fallocate ${s} ${e}`),
      invalidate: (s: number, e: number) => void told.push(`${name} invalidate ${s} ${e}`),
      invalidateEnd: (s: number, e: number) => void told.push(`${name} end ${s} ${e}`),
    });
    const a = await file.register(consumer('a'));
    await file.register(consumer('b'), { range: { start: 2, end: 4 } });
    expect(a.snapshot).toEqual([{ start: 0, end: 8 }]);
    const lease = a.lookup(3);
    const bytes = lease.bytes();
    bytes[0] = 7;
    const done = file.punchHole(3, 6);
    expect(told).toEqual(['b invalidate 3 4', 'a invalidate 3 6', 'a end 3 6', 'b end 3 4']);
    await done;
    expect(() => lease.bytes()).toThrow('ESTALE');
    expect(() => a.lookup(3)).toThrow('ENOENT');
    lease.put();
    await file.fallocate(3, 6);
    expect(a.lookup(3).bytes()[0]).toBe(0);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
    await expect(memfile[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });

  it('shows of an event what consumers are told, and no more', async () => {
    const { file } = setUp();
    const shown: string[] = [];
    const show = (_start: number, _end: number, event: NotifierEvent): void =>
      void shown.push(inspect(event, { breakLength: Infinity }), JSON.stringify(event));
    await file.register({ fallocate: show, invalidate: show });
    await file.fallocate(0, 2);
    await file.convert(0, 1, 'private');
    expect(shown).toEqual([
      "{ type: 'fallocate', position: 3, reason: 'fallocate', file: 'ram' }",
      '{"type":"fallocate","position":3,"reason":"fallocate","file":"ram"}',
      expect.stringMatching(/'invalidate'.*conversion: { to: 'private', content: 'unspecified' }/),
      expect.stringMatching(/"conversion":{"to":"private","content":"unspecified"}}$/),
    ]);
  });

  it('is recorded, and replayed, however many pages it has', async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 2 ** 33 });
    await file.fallocate(0, 2 ** 33);
    await file.punchHole(1, 2 ** 32 + 1);
    await file.punchHole(2 ** 33, 2 ** 40);
    const ranges = [...memfile.journal.read(2)].map((event) =>
      'start' in event ? [event.type, event.start, event.end] : [],
    );
    expect(ranges).toEqual([
      ['fallocate', 0, 2 ** 33],
      ['invalidate', 1, 2 ** 32 + 1],
      ['invalidateEnd', 1, 2 ** 32 + 1],
      ['invalidate', 2 ** 33, 2 ** 40],
      ['invalidateEnd', 2 ** 33, 2 ** 40],
    ]);
    expect(file.populated()).toEqual([
      { start: 0, end: 1 },
      { start: 2 ** 32 + 1, end: 2 ** 33 },
    ]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('EDEADLK, failing consumer, quarantine', async () => {
    const { memfile, file } = setUp();
    await file.fallocate(0, 8);
    let again = true;
    const registration = await file.register({
      name: 'a',
      invalidate: (s, _end, event) => {
        if (s === 0 && again) {
          again = false;
          event.waitUntil(file.punchHole(0, 1));
        }
        if (s === 1) return registration.unregister();
        return s === 2 ? Promise.reject(new Error('boom')) : undefined;
      },
    });
    await expect(file.punchHole(2, 3)).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    await expect(file.punchHole(0, 1)).rejects.toMatchObject({
      code: 'EIO',
      cause: expect.objectContaining({ code: 'EDEADLK' }),
    });
    await expect(file.punchHole(1, 2)).rejects.toMatchObject({ code: 'EIO' });
    expect(memfile.state.toJSON().quarantined).toHaveLength(3);
    expect(file.populated()).toEqual([{ start: 3, end: 8 }]);
    await registration.closed;
  });

  it.each([40, 200])('tells %i consumers by age, wherever their ranges begin', async (count) => {
    const { file } = setUp();
    await file.fallocate(0, 4);
    const told: string[] = [];
    const ages = Array.from({ length: count }, (_, i) => i);
    for (const age of ages) {
      const whole = age % 10 === 0;
      const range = { start: (age * 7) % 4, end: 4 + ((age * 5) % 4) };
      const notifier = {
        invalidate: () => void told.push(`begin ${age}`),
        invalidateEnd: () => void told.push(`end ${age}`),
      };
      await file.register(notifier, whole ? {} : { range });
    }
    await file.punchHole(3, 4);
    const newestFirst = [...ages].reverse();
    expect(told).toEqual([
      ...newestFirst.map((age) => `begin ${age}`),
      ...ages.map((age) => `end ${age}`),
    ]);
  });

  it('streams', async () => {
    const { file } = setUp();
    await file.fallocate(0, 2);
    const seen: Notification[] = [];
    const subscription = file.notifications$().subscribe((n) => seen.push(n));
    await file.fallocate(2, 4);
    expect(seen.map((n) => n.type)).toEqual(['snapshot', 'fallocate']);
    subscription.unsubscribe();
    expect(file.registrations).toBe(0);
    let count = 0;
    for await (const n of file.notifications$()) {
      if (n.type === 'snapshot') void file.punchHole(0, 4);
      else if (n.type === 'invalidate') {
        expect(file.populated()).toHaveLength(1);
        count++;
      } else {
        expect(file.populated()).toHaveLength(0);
        break;
      }
    }
    expect(count).toBe(1);
    expect(file.registrations).toBe(0);
  });
});
