import { describe, expect, it } from 'vitest';
import { rerun } from '../../adapters/rerun/index.js';
import {
  createMemfile,
  MemoryJournal,
  type JournalEvent,
  type RecordLevel,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const stores = () => [shmem()];

/** A run with everything that can be driven again. */
async function recorded(record: RecordLevel): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  const memfile = createMemfile({ plugins: stores(), journal, record });
  const ram = memfile.createFile('shmem', { size: 32, name: 'ram' });
  let letGo = (): void => {};
  let calls = 0;
  const slow = await ram.register({
    name: 'slow',
    invalidate: (start, _end, event) => {
      if (start < 4) event.waitUntil(new Promise<void>((resolve) => (letGo = resolve)));
    },
  });
  const failing = await ram.register({
    name: 'failing',
    prepare: () => {
      if (++calls === 3) throw new Error('no room');
    },
    invalidate: () => {
      if (calls === 2) throw new Error('stuck');
    },
  });
  await ram.fallocate(0, 16);
  const lease = slow.lookup(9);
  await ram.fallocate(16, 40);
  const punched = ram.punchHole(0, 8);
  const after = ram.fallocate(2, 6).catch(() => {});
  await ram.punchHole(20, 22).catch(() => {});
  letGo();
  await punched.catch(() => {});
  await after;
  const leaver = await ram.register({ name: 'leaver', invalidate: () => leaver.unsubscribe() });
  await ram.punchHole(8, 10).catch(() => {});
  lease.put();
  const stuck = await ram.register({ name: 'stuck', invalidate: () => new Promise(() => {}) });
  const blocked = ram.punchHole(10, 12);
  stuck.evict();
  await blocked.catch(() => {});
  await ram.truncate(20).catch(() => {});
  await ram.addSeals('grow');
  failing.unsubscribe();
  const closed = ram.close().catch(() => {});
  letGo();
  await closed;
  await memfile[Symbol.asyncDispose]();
  return journal;
}

const rewritten = (journal: MemoryJournal, change: (event: JournalEvent) => JournalEvent) => {
  const copy = new MemoryJournal();
  for (const { position: _, ...event } of journal.read(1))
    copy.append(change(event as JournalEvent));
  return copy;
};

describe('a recording', () => {
  it.each<RecordLevel>(['deliveries', 'full'])(
    'is driven again to the same events, recorded at level %s',
    async (level) => {
      const journal = await recorded(level);
      const types = new Set([...journal.read(1)].map(({ type }) => type));
      const wanted = [
        'answer',
        'evict',
        'failure',
        'grace',
        'left',
        'quarantine',
        'rollback',
        'seal',
      ];
      expect([...types]).toEqual(expect.arrayContaining(wanted));
      expect(await rerun(journal, stores)).toBeUndefined();
    },
  );

  it('diverges where an event is another one, and shows both', async () => {
    const journal = await recorded('deliveries');
    const position = [...journal.read(1)].findIndex(({ type }) => type === 'quarantine') + 1;
    const changed = rewritten(journal, (event) =>
      event.type === 'quarantine' ? { ...event, pfn: event.pfn + 1 } : event,
    );
    const divergence = await rerun(changed, stores);
    expect(divergence).toMatchObject({
      position,
      recorded: { type: 'quarantine' },
      driven: { type: 'quarantine' },
    });
    expect(divergence?.recorded).not.toEqual(divergence?.driven);
  });

  it('diverges where something does not happen any more', async () => {
    const journal = await recorded('deliveries');
    const divergence = await rerun(journal, () => [shmem({ quota: 4 })]);
    expect(divergence).toMatchObject({ why: expect.stringContaining('ENOSPC') });
    expect(divergence?.driven).toBeUndefined();
  });

  it('of two processes is driven as two', async () => {
    const first = new MemoryJournal();
    const one = createMemfile({ plugins: stores(), journal: first, record: 'deliveries' });
    const ram = one.createFile('shmem', { size: 8 });
    await ram.register({ invalidate: () => new Promise(() => {}) });
    await ram.fallocate(0, 8);
    void ram.punchHole(0, 4);
    const second = rewritten(first, (event) => event);
    const two = createMemfile({ plugins: stores(), journal: second, record: 'deliveries' });
    await two.files.get(1)!.fallocate(0, 2);
    expect(await rerun(second, stores)).toBeUndefined();
  });
});
