import { expect, it } from 'vitest';
import { MemoryJournal, replay, type JournalEvent } from '../../core/index.js';

const created: JournalEvent = {
  type: 'createFile',
  file: 1,
  name: 'guest',
  store: 'shmem',
  pages: 16,
  flags: [],
  seals: [],
  options: {},
};

it('what was asked about stays prepared until all of it is answered', () => {
  const journal = new MemoryJournal();
  const of = { file: 1, operation: 1, reason: 'fallocate' } as const;
  journal.append(created);
  journal.append({ type: 'prepare', ...of, start: 0, end: 4 });
  journal.append({ type: 'prepare', ...of, start: 8, end: 12 });
  journal.append({ type: 'fallocate', ...of, start: 0, end: 4, pfn: 1 });
  journal.append({ type: 'fallocate', ...of, start: 8, end: 10, pfn: 9 });
  journal.append({ type: 'rollback', ...of, start: 10, end: 12 });
  const prepared = (position: number): unknown =>
    replay(journal, position).files.get(1)!.prepared.get(1);
  const reason = 'fallocate';
  expect(prepared(4)).toEqual([{ start: 8, end: 12, reason }]);
  expect(prepared(5)).toEqual([{ start: 10, end: 12, reason }]);
  expect(prepared(6)).toBeUndefined();
});
