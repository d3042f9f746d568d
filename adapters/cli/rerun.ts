import { MemfileError, type BackingStore, type Journal } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { rerun } from '../rerun/index.js';
import { EXIT } from './exit.js';
import { withJournal, type JournalFlags } from './journal-file.js';

/** Makes the stores anew that `memfile run` had, by what they said first of themselves. */
function storesOf(journal: Journal): () => readonly BackingStore[] {
  for (const event of journal.read(1)) {
    if (event.type === 'createFile' && event.store !== 'shmem' && event.store !== 'hugetlb') {
      const why = `it has files of store "${event.store}", which only its program can compose`;
      throw new MemfileError('EOPNOTSUPP', 'rerun', why);
    }
    if (event.type !== 'plugin' || event.plugin !== 'hugetlb' || event.name !== 'pool') continue;
    const { pageSize, total: pool } = event.data;
    if ((pageSize === '2M' || pageSize === '1G') && typeof pool === 'number') {
      return () => [hugetlb({ pageSize, pool })];
    }
  }
  return () => [shmem()];
}

/** Drives a journal again, and shows the first event that is another one. */
export function rerunJournal(path: string, flags: JournalFlags): Promise<number> {
  return withJournal(path, flags, async (journal) => {
    if (journal.first > 1) {
      const why = `its events up to ${journal.first - 1} are forgotten: it cannot be driven again`;
      throw new MemfileError('ESTALE', 'rerun', why);
    }
    const divergence = await rerun(journal, storesOf(journal));
    if (divergence === undefined) {
      process.stdout.write(`${path}: all ${journal.position} events are the same\n`);
      return EXIT.ok;
    }
    const { position, recorded, driven, why } = divergence;
    const lines = [
      `${path}: event ${position}, times not counted, is another one`,
      `  recorded: ${recorded === undefined ? 'nothing' : JSON.stringify(recorded)}`,
      `  now:      ${driven === undefined ? 'nothing' : JSON.stringify(driven)}`,
    ];
    if (why !== undefined) lines.push(`  because:  ${why}`);
    process.stdout.write(`${lines.join('\n')}\n`);
    return EXIT.violated;
  });
}
