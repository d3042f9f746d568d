import {
  MemoryJournal,
  type Journal,
  type JournalEvent,
  type Memfile,
  type MemfileState,
} from '../../core/index.js';

/** The journal as a crash after the event at `to` leaves it. */
export function prefix(journal: Journal, to: number = journal.position): MemoryJournal {
  const copy = new MemoryJournal();
  for (const { position: _, ...event } of journal.read(1, to + 1))
    copy.append(event as JournalEvent);
  return copy;
}

/** The frames that nobody may be given, by what the state says; leases are of aligned blocks. */
export function taken(state: MemfileState): Set<number> {
  const frames = new Set<number>();
  const add = (pfn: number, pages: number): void => {
    for (let frame = pfn; frame < pfn + pages; frame++) frames.add(frame);
  };
  const { files, leases, quarantined } = state.toJSON();
  for (const file of files) for (const [start, end, pfn] of file.frames) add(pfn, end - start);
  for (const { pfn, order } of leases) add(pfn - (pfn % 2 ** order), 2 ** order);
  for (const { pfn, start, end } of quarantined) add(pfn, end - start);
  return frames;
}

/** The frames that arrive from the event at `from` on, and were somebody's. */
export function twice(memfile: Memfile, before: Set<number>, from: number): number[] {
  const found: number[] = [];
  for (const event of memfile.journal.read(from)) {
    if (event.type !== 'fallocate') continue;
    for (let page = event.start; page < event.end; page++) {
      const frame = event.pfn + (page - event.start);
      if (before.has(frame)) found.push(frame);
      before.add(frame);
    }
  }
  return found;
}
