import { messageOf, MemfileError } from '../../core/errno.js';
import { DamagedJournalError, SqliteJournal } from '../sqlite/index.js';
import { EXIT } from './exit.js';
import { OutputError } from './row-file.js';

export interface JournalFlags {
  readonly salvage?: true;
}

/**
 * Opens a journal, reads all of it to be sure that it is good, and runs `use` with it. Answers the
 * exit status: of `use`, or of a journal that cannot be read, of which it is said why.
 * @param readsAll `use` reads all of it itself before it says anything; once is enough.
 */
export async function withJournal(
  path: string,
  flags: JournalFlags,
  use: (journal: SqliteJournal) => Promise<number> | number,
  readsAll = false,
): Promise<number> {
  const salvage = flags.salvage === true;
  let journal: SqliteJournal | undefined;
  try {
    journal = SqliteJournal.read(path, { salvage });
    const damage = salvage || readsAll ? journal.damage : journal.findDamage();
    if (damage !== undefined && !salvage) throw damage;
    if (damage !== undefined) say(`warning: ${damage.message}`);
    return await use(journal);
  } catch (error) {
    if (!(error instanceof MemfileError) && !(error instanceof OutputError)) throw error;
    say(error.message);
    if (error instanceof DamagedJournalError) {
      say(`${path}: last good position ${error.good}; --salvage reads that far`);
    }
    return EXIT.badInput;
  } finally {
    await journal?.close();
  }
}

/** A line for people, on standard error. */
export function say(line: string): void {
  process.stderr.write(`memfile: ${line}\n`);
}

/** @throws MemfileError EINVAL unless it is a number from `least` on. */
export function wholeNumber(option: string, given: string, least = 0): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= least) return value;
  const why = `${option} takes a whole number from ${least} on, got ${messageOf(given)}`;
  throw new MemfileError('EINVAL', 'memfile', why);
}
