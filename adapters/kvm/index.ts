export {
  newFault,
  runFault,
  step,
  type Fault,
  type FaultHost,
  type FaultOutcome,
  type FaultStep,
} from './fault.js';
export { gfnRange, type MemslotPiece, type MemslotSpec } from './memslot.js';
export { KvmVm, type FileTally, type KvmVmOptions } from './vm.js';
