import { MemfileError, type BackingStore } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { rerun } from '../rerun/index.js';
import { EXIT } from './exit.js';
import { withJournal, type JournalFlags } from './journal-file.js';

/** The stores that `memfile run` drives. */
const STORES: () => readonly BackingStore[] = () => [shmem()];

/** Drives a journal again, and shows the first event that is another one. */
export function rerunJournal(path: string, flags: JournalFlags): Promise<number> {
  return withJournal(path, flags, async (journal) => {
    if (journal.first > 1) {
      const why = `its events up to ${journal.first - 1} are forgotten: it cannot be driven again`;
      throw new MemfileError('ESTALE', 'rerun', why);
    }
    const divergence = await rerun(journal, STORES);
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
