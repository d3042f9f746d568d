import { MemfileError, messageOf } from '../../core/errno.js';

/** A journal holds what was never written: a flipped bit, a torn page, a file cut short. */
export class DamagedJournalError extends MemfileError {
  /** The last position up to which it is good; 0 when nothing is. */
  readonly good: number;

  constructor(good: number, what: string, cause?: unknown) {
    const why = cause === undefined ? what : `${what}: ${messageOf(cause)}`;
    const detail = `the journal is good up to position ${good}, then ${why}`;
    super('EBADMSG', 'readJournal', detail, { cause });
    this.good = good;
  }
}

/** Runs `read`; whatever is wrong with the file then begins after position `good`. */
export function damaging<T>(good: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MemfileError) throw error;
    throw new DamagedJournalError(good, 'it is damaged', error);
  }
}
