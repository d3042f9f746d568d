export type { AddressSpace, MappedPiece, TraceAction } from './actions.js';
export { readTrace, type Trace } from './read-trace.js';
export type { TraceSummary } from './summary.js';
export { TraceError } from './trace-error.js';
