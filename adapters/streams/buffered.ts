import type { Notification } from '../../core/index.js';
import type { Merged } from './merging.js';

/** What becomes of a notification for which there is no room; see `boundedBuffer`. */
export type BufferPolicy = 'merge' | 'drop' | 'fail';

export interface BufferOptions<P extends BufferPolicy = BufferPolicy> {
  /** How many items may wait, beside the one in the consumer's hands; at least 1. */
  readonly capacity: number;
  readonly policy: P;
}

/** A mark in the place of notifications that were dropped; a fresh snapshot follows. */
export interface Gap {
  readonly type: 'gap';
  /** How many were dropped. What came between this mark and the snapshot is not counted. */
  readonly missed: number;
  /** The position of the first of them. */
  readonly from: number;
  /** The position of the last of them. */
  readonly to: number;
}

/** What a consumer behind a buffer is handed. */
export type Buffered<P extends BufferPolicy = BufferPolicy> =
  | Notification
  | (P extends 'merge' ? Merged : never)
  | (P extends 'drop' ? Gap : never);
