export { explore, type Exploration, type ExploreOptions } from './explore.js';
export { Listener, type ListenerOptions, type Reaction } from './listener.js';
export {
  checkLitmus,
  litmus,
  type Litmus,
  type LitmusResult,
  type LitmusSpec,
  type NamedLitmus,
  type Verdict,
} from './litmus.js';
export {
  AGAIN,
  program,
  type Program,
  type ProgramSpec,
  type Statement,
  type Thread,
} from './program.js';
export { load, replaySaved, save } from './saved.js';
export type { Step } from './run-schedule.js';
export type { Counterexample } from './shrink.js';
export { Stage, type Broken } from './stage.js';
export {
  guestOver,
  judgeMappings,
  ledgerFile,
  stepFault,
  type FaultingVm,
  type Guest,
} from './step-fault.js';
export { storm } from './storm.js';
export { printCounterexample } from './timeline.js';
