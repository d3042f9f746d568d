export { Attributes, MEMORY_ATTRIBUTE_PRIVATE, type MemoryAttributes } from './attributes.js';
export type { FileTally } from './binding.js';
export {
  KVM_EVENTS,
  type KvmEvent,
  type KvmState,
  type RecordedPiece,
  type RecordedSlot,
  type RecordedVm,
} from './events.js';
export {
  abandon,
  MEMORY_EXIT_PRIVATE,
  newFault,
  step,
  type Access,
  type Fault,
  type FaultExit,
  type FaultHost,
  type FaultStep,
  type MemoryFault,
} from './fault.js';
export { Invalidations } from '../invalidations.js';
export { LEVEL_PAGES, type Level } from './levels.js';
export type { GuestMemfd, Memslot, MemslotSpec } from './memslot.js';
export { Memslots } from './memslots.js';
export { gfnRange, type MemslotPiece } from './piece.js';
export type { PreFaultMemory } from './prefault.js';
export { runFault, type FaultOptions, type WaitingFaultHost } from './run-fault.js';
export { MAX_SLOTS } from './slot-change.js';
export { Stage2, type Side, type Stage2Kind, type Stage2Mapping } from './stage2.js';
export { KVM_MEM, type UserMemoryRegion, type UserspaceMemory } from './user-memory-region.js';
export { KvmVm, type KvmVmOptions } from './vm.js';
