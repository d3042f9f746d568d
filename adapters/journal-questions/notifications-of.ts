import { replay, type Journal, type Recorded } from '../../core/index.js';
import { EventRows, type EventRow } from '../journal-log/index.js';

export interface Span {
  /** Positions `[from, to]`; all by default. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Pages `[start, end)`; all by default. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** What a consumer was told of pages that overlap, oldest first; by the name that it registered with. */
export function* notificationsOf(
  journal: Journal,
  consumer: string,
  { from = journal.first, to = journal.position, start = 0, end = Infinity }: Span = {},
): Iterable<EventRow> {
  const before = from > 1 ? replay(journal, Math.min(from - 1, journal.position)) : undefined;
  const rows = new EventRows(before);
  const wanted = (row: EventRow): boolean =>
    row.consumer === consumer && row.start < end && start < row.end;
  const delivered = (event: Recorded): boolean =>
    event.type === 'delivery' || event.type === 'register';
  for (const event of journal.read(from, to + 1)) {
    if (!delivered(event)) continue;
    for (const row of rows.next(event)) if (wanted(row)) yield row;
  }
}
