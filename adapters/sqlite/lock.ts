import { MemfileError, messageOf } from '../../core/errno.js';
import type { SqliteDatabase, SqliteDriver } from './driver.js';

/**
 * Keeps other writers out for as long as this process lives. It is a lock of the operating system
 * on a file beside the journal, by way of SQLite, so that nothing is left locked by who was killed,
 * and readers are not kept out.
 * @throws MemfileError EBUSY when another one writes, EIO when there can be no such file.
 */
export function lockWriters(driver: SqliteDriver, path: string): SqliteDatabase {
  let lock: SqliteDatabase | undefined;
  try {
    lock = driver(`${path}-lock`, { readOnly: false });
    lock.exec('PRAGMA busy_timeout = 0');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    const busy = lock !== undefined && /locked|busy/i.test(messageOf(cause));
    lock?.close();
    if (busy) {
      const why = `another process writes ${path}; a journal has one writer at a time`;
      throw new MemfileError('EBUSY', 'openJournal', why, { cause });
    }
    const why = `cannot open ${path}-lock: ${messageOf(cause)}`;
    throw new MemfileError('EIO', 'openJournal', why, { cause });
  }
}
