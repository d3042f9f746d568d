export { describeBackingStore, type BackingStoreOptions } from './stores/describe-backing-store.js';
export { describeConsumer } from './consumers/describe-consumer.js';
export type {
  ConsumerFactory,
  ConsumerSetting,
  TestedConsumer,
} from './consumers/consumer-world.js';
export { describeJournal, type JournalOptions } from './journals/describe-journal.js';
export { createTestMemfile, TestMemfile } from './tools/create-test-memfile.js';
export { failingJournal, failingStore, type InjectedFault } from './tools/fault-injection.js';
export { given, type Deed, type Expected, type Given, type Outcome } from './tools/given.js';
export { HostileConsumer, type ConsumerHostility } from './consumers/hostile-consumers.js';
export { hostileStore, type StoreHostility } from './stores/hostile-stores.js';
export { ManualScheduler } from './tools/manual-scheduler.js';
export {
  recordingConsumer,
  type RecordingConsumer,
  type ToldEvent,
} from './consumers/recording-consumer.js';
export type { TestContext, TestFunctions } from './runner.js';
export { LawBroken, type KitOptions } from './suite.js';
export { VirtualClock } from './tools/virtual-clock.js';
export {
  checkLitmus,
  explore,
  litmus,
  load,
  printCounterexample,
  program,
  replaySaved,
  save,
  storm,
  type Counterexample,
  type Exploration,
  type ExploreOptions,
  type Litmus,
  type LitmusSpec,
  type Program,
  type ProgramSpec,
  type Stage,
} from '../explore/index.js';
