import { describe, expect, it } from 'vitest';
import { createMemfile, type MemoryFile, type Registration } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

/** Law 3: who leaves amid an invalidation gets a `left` row if it was told the begin and no end. */

type When = 'invalidate' | 'invalidateEnd';

/** Punches with two consumers; while `teller` is told `when`, `leaver` leaves. Who got a row? */
async function left(teller: 'older' | 'newer', when: When, leaver: 'older' | 'newer') {
  await using memfile = createMemfile({ plugins: [shmem()] });
  const file: MemoryFile = memfile.createFile('shmem', { size: 8 });
  const consumers = new Map<string, Registration>();
  const heard: string[] = [];
  for (const name of ['older', 'newer']) {
    const told = (type: When): void => {
      heard.push(`${name} ${type}`);
      if (name === teller && type === when) consumers.get(leaver)!.unsubscribe();
    };
    const notifier = {
      invalidate: () => told('invalidate'),
      invalidateEnd: () => told('invalidateEnd'),
    };
    consumers.set(name, await file.register(notifier, { name, range: { start: 0, end: 4 } }));
  }
  await file.punchHole(0, 8);
  const rows = [...memfile.journal.read(1)].filter(({ type }) => type === 'left');
  return { rows, heard };
}

describe('a consumer that leaves amid an invalidation', () => {
  // Begins are told the newest first, ends the oldest first.
  it.each([
    ['newer', 'invalidate', 'older', 0, 'before it is told'],
    ['newer', 'invalidate', 'newer', 1, 'in its own begin'],
    ['older', 'invalidate', 'newer', 1, 'after its begin'],
    ['older', 'invalidateEnd', 'newer', 1, 'before its end'],
    ['older', 'invalidateEnd', 'older', 0, 'in its own end'],
    ['newer', 'invalidateEnd', 'older', 0, 'after its end'],
  ] as const)(
    '%s in %s lets %s leave: %i left rows, as it is %s',
    async (teller, when, who, n, _why) => {
      const { rows, heard } = await left(teller, when, who);
      expect(rows).toHaveLength(n);
      if (n > 0) expect(rows[0]).toMatchObject({ start: 0, end: 4, operation: 1 });
      // A begin that was told has an end or a row, and never both.
      const begins = heard.filter((what) => what === `${who} invalidate`).length;
      const ends = heard.filter((what) => what === `${who} invalidateEnd`).length;
      expect(ends + rows.length).toBe(begins);
    },
  );
});

describe('a consumer that unregisters in its own callback', () => {
  const PART = { range: { start: 0, end: 4 } };
  it.each([
    ['of the whole file', {}, 'callback'],
    ['of the whole file', {}, 'observer'],
    ['of a part', PART, 'callback'],
    ['of a part', PART, 'observer'],
  ] as const)('%s is gone when that is over (%j, %s)', async (_, options, by) => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 8 });
    let over = false;
    const leave = (): void => void registration.unregister().then(() => (over = true));
    const notifier = by === 'callback' ? { invalidate: leave } : {};
    const registration: Registration = await file.register(notifier, options);
    if (by === 'observer') registration.subscribe({ next: leave });
    const punched = file.punchHole(0, 1);
    expect(over).toBe(false);
    await punched;
    expect(over).toBe(true);
  });
});
