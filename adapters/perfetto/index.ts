export { PerfettoTrace, type TraceEvent } from './perfetto-trace.js';
