export { DamagedJournalError } from './damage.js';
export {
  defaultDriver,
  type SqliteDatabase,
  type SqliteDriver,
  type SqliteStatement,
  type SqliteValue,
} from './driver.js';
export {
  SqliteJournal,
  type SqliteJournalOptions,
  type SqliteReaderOptions,
} from './sqlite-journal.js';
