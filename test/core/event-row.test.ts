import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventOfRow, ROW_BYTES, RowSegment } from '../../core/event-row.js';
import { MAX_PAGES, MemoryJournal, type JournalEvent } from '../../core/index.js';
import { pageEvent, rareEvent, widePageEvent } from '../kit/journals/events.js';

describe('RowSegment', () => {
  it.each<[string, JournalEvent]>([
    ['file', { type: 'unregister', file: 2 ** 24, registration: 1 }],
    ['registration', { type: 'unregister', file: 1, registration: 2 ** 24 }],
    ['operation', { type: 'kept', file: 1, operation: 2 ** 32, start: 0, end: 1 }],
    ['range', { type: 'kept', file: 1, operation: 1, start: 0, end: 2 ** 32 }],
  ])('refuses an event whose %s is one too wide, and leaves the row empty', (_, event) => {
    const segment = new RowSegment(1);
    expect(segment.write(0, event)).toBe(false);
    expect(segment.read(0, 1)).toBeUndefined();
  });

  it('refuses every event that is too wide, and every rare one', () => {
    fc.assert(
      fc.property(fc.oneof(widePageEvent, rareEvent), (event) => {
        const segment = new RowSegment(1);
        expect(segment.write(0, event)).toBe(false);
        expect(segment.read(0, 1)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('gives back every event of pages that fits, each from its own row', () => {
    fc.assert(
      fc.property(fc.array(pageEvent, { minLength: 1, maxLength: 12 }), (events) => {
        const segment = new RowSegment(events.length);
        for (const [row, event] of events.entries()) expect(segment.write(row, event)).toBe(true);
        const read = events.map((_, row) => segment.read(row, row + 5));
        expect(read).toEqual(events.map((event, row) => ({ ...event, position: row + 5 })));
      }),
      { numRuns: 300 },
    );
  });

  it('says the same of a row on its own', () => {
    fc.assert(
      fc.property(pageEvent, (event) => {
        const segment = new RowSegment(1);
        segment.write(0, event);
        const [head, detail, operation, length] = segment.words;
        const [, , start, pfn] = segment.doubles;
        expect(eventOfRow(head!, detail!, operation!, length!, start!, pfn!)).toEqual(event);
      }),
      { numRuns: 300 },
    );
  });

  it('takes 32 bytes for the widest there are', () => {
    const segment = new RowSegment(1);
    const event = {
      type: 'fallocate',
      file: 2 ** 24 - 1,
      operation: 2 ** 32 - 1,
      start: MAX_PAGES,
      end: MAX_PAGES + 2 ** 32 - 1,
      pfn: 2 ** 52,
      reason: 'device',
    } as const;
    expect(segment.write(0, event)).toBe(true);
    expect(segment.read(0, 1)).toEqual({ ...event, position: 1 });
    expect(ROW_BYTES).toBe(32);
  });
});

describe('MemoryJournal', () => {
  it('gives back unchanged what no row can hold', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(widePageEvent, rareEvent), { maxLength: 8 }), (events) => {
        const journal = new MemoryJournal();
        for (const event of events) journal.append(event);
        expect([...journal.read(1)]).toEqual(
          events.map((event, index) => ({ ...event, position: index + 1 })),
        );
      }),
    );
  });
});
