import type { TraceSummary } from '../strace/index.js';
import type { PackedActions } from './packed-actions.js';

/** So many messages may be under way. */
export const UNDER_WAY = 4;

/** What the thread that reads says; it is told of each that is done with. */
export type Message =
  | {
      readonly type: 'actions';
      readonly actions: PackedActions;
      readonly lines: number;
      readonly bytesRead: number;
      readonly bytesTotal: number;
    }
  | { readonly type: 'end'; readonly summary: TraceSummary }
  /** As a TraceError. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
