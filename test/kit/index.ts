export { describeBackingStore, type BackingStoreOptions } from './describe-backing-store.js';
export { describeJournal, type JournalOptions } from './describe-journal.js';
export { hostileStore, type StoreHostility } from './hostile-stores.js';
export { LawBroken, type KitOptions } from './suite.js';
export type { TestContext, TestFunctions } from './runner.js';
