export type {
  Allocation,
  AttachState,
  BackingStore,
  FileSpec,
  PfnOps,
  PfnRun,
  PluginHost,
  StoreFile,
  StoreHost,
  WhyFreed,
} from './backing-store.js';
export { BackingStores } from './backing-stores.js';
export type {
  Access,
  ContentMode,
  Conversion,
  MappingBudget,
  Movement,
  Side,
  StoreCapabilities,
} from './capabilities.js';
export {
  CLOCK,
  FILES,
  JOURNAL,
  NOTIFIER_LIST,
  SCHEDULER,
  STORES,
  type Token,
} from './container.js';
export { createMemfile, Memfile, type MemfileOptions } from './create-memfile.js';
export { ERRNO, MemfileError, type Effect, type ErrnoCode, type Refused } from './errno.js';
export type {
  EventType,
  FileFlag,
  JournalEvent,
  Notification,
  NotifierCallback,
  PageEvent,
  PluginData,
  RareEvent,
  Reason,
  Recorded,
  Seal,
  Snapshot,
  Told,
} from './event.js';
export { evolve, replay } from './evolve.js';
export { Extents, type Extent } from './extents.js';
export { Journal } from './journal.js';
export { Lease } from './lease.js';
export { MemoryJournal } from './memory-journal.js';
export { MemoryFile } from './memory-file.js';
export { MemoryFiles, type FileOptions } from './memory-files.js';
export { NotificationStream } from './notification-stream.js';
export type { NotifiedFile, Notifier, NotifierEvent, NotifierFunction } from './notifier.js';
export { NotifierList } from './notifier-list.js';
export { NotifierSubject } from './notifier-subject.js';
export type {
  ConvertOptions,
  FallocateOptions,
  NotificationsOptions,
  OperationOptions,
  RegisterOptions,
} from './options.js';
export { MAX_PAGES, PAGE_SIZE, type PageRange } from './page-range.js';
export type { Plan, PlannedMappings, PlannedOperation } from './plan.js';
export { Clock, MicrotaskScheduler, Scheduler, SystemClock } from './ports.js';
export { Registration } from './registration.js';
export { Scope, type Part } from './scope.js';
export { SmallMap } from './small-map.js';
export { SrcuDomain, SrcuReader, type SrcuIndex } from './srcu.js';
export { formatStall, type StallReport } from './stall.js';
export { MemfileState, type StateSnapshot } from './state.js';
