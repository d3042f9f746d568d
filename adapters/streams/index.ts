export { boundedBuffer } from './bounded-buffer.js';
export type { Buffered, BufferOptions, BufferPolicy, Gap } from './buffered.js';
export { coalesceRanges } from './coalesce-ranges.js';
export type { Merged } from './merging.js';
export { scanPageMap } from './scan-page-map.js';
export { withinRange } from './within-range.js';
