export type {
  Allocation,
  AttachState,
  BackingStore,
  FileSpec,
  FrameTable,
  PfnOps,
  PfnRun,
  PluginHost,
  StoreFile,
  StoreHost,
  TakenFrames,
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
export {
  ERRNO,
  MemfileError,
  messageOf,
  type Effect,
  type ErrnoCode,
  type Refused,
} from './errno.js';
export {
  RECORD_LEVELS,
  type EventType,
  type FileFlag,
  type JournalEvent,
  type Notification,
  type NotifierCallback,
  type PageEvent,
  type PluginData,
  type RareEvent,
  type Reason,
  type Recorded,
  type RecordLevel,
  type Seal,
  type Snapshot,
  type Told,
  type Witnessed,
} from './event.js';
export { EVENT_HISTORY, EventHistory } from './event-history.js';
export { ROW_BYTES, ROW_TYPES, RowSegment } from './event-row.js';
export { evolve, EVOLVE_VERSION } from './evolve.js';
export { Extents, type Extent } from './extents.js';
export { Journal, type Checkpoint, type Durability, type SubscribeOptions } from './journal.js';
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
export type { Piece } from './reading.js';
export { Registration } from './registration.js';
export { replay } from './replay.js';
export { restoreState, saveState } from './saved-state.js';
export { Scope, type Part } from './scope.js';
export { defineEvents, type EventDefinition, type OwnEvent, type OwnEvents } from './own-events.js';
export { SmallMap } from './small-map.js';
export { SrcuDomain, SrcuReader, type SrcuIndex } from './srcu.js';
export { formatStall, type StallReport } from './stall.js';
export { MemfileState, type RegistrationState, type StateSnapshot } from './state.js';
