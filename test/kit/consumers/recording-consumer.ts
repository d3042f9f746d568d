import type { Notifier, NotifierEvent, PageRange, Reason } from '../../../core/index.js';

/** What a consumer was told; pages, clipped to its range. */
export interface ToldEvent extends PageRange {
  readonly type: NotifierEvent['type'];
  readonly position: number;
  readonly reason: Reason;
  readonly kept?: readonly PageRange[];
}

/** A consumer that does nothing but write down what it is told. */
export interface RecordingConsumer extends Notifier {
  readonly told: ToldEvent[];
  /** The same for people, and short: 'invalidate [0, 4)'. */
  readonly lines: string[];
}

/** @param options.votes is also asked before pages arrive, and agrees. */
export function recordingConsumer(
  options: { readonly name?: string; readonly votes?: boolean } = {},
): RecordingConsumer {
  const { name = 'recording', votes = false } = options;
  const told: ToldEvent[] = [];
  const lines: string[] = [];
  const record = (start: number, end: number, event: NotifierEvent): void => {
    const { type, position, reason, kept } = event;
    told.push({ type, start, end, position, reason, ...(kept === undefined ? {} : { kept }) });
    lines.push(`${type} [${start}, ${end})`);
  };
  const consumer = {
    name,
    told,
    lines,
    fallocate: record,
    invalidate: record,
    invalidateEnd: record,
  };
  return votes ? { ...consumer, prepare: record, rollback: record } : consumer;
}
