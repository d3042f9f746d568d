export { describeBackingStore, type BackingStoreOptions } from './describe-backing-store.js';
export { LawBroken, type KitOptions } from './suite.js';
export type { TestContext, TestFunctions } from './runner.js';
