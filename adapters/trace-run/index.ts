export type { DeviceReport } from './device-run.js';
export { EventLog } from './event-log.js';
export type { FileReport } from './file-run.js';
export { PassingJournal } from './passing-journal.js';
export type { Refusals } from './refusals.js';
export { TraceDriver, type ConsumerReport } from './trace-driver.js';
