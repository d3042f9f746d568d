import fc from 'fast-check';
import {
  MemfileError,
  RowSegment,
  type Journal,
  type JournalEvent,
  type Recorded,
} from '../../../core/index.js';
import { journalEvent } from './events.js';
import { replayFindings } from '../world/law-checks.js';
import { play, tearDown } from '../world/play.js';
import { program, shorterPrograms, type Program } from '../world/program.js';
import { showProgram } from '../world/show-program.js';
import { oneLess } from '../small.js';
import { fixed, type Check } from '../suite.js';

export interface JournalSubject {
  /** Opens a new, empty journal. */
  readonly journal: () => Journal | Promise<Journal>;
  /** Opens again what a journal left behind when it was closed. */
  readonly reopen?: ((closed: Journal) => Journal | Promise<Journal>) | undefined;
}

/** What is appended, and what is read then. */
interface Reading {
  readonly events: readonly JournalEvent[];
  readonly from: number;
  readonly to: number | undefined;
}

const events = fc.array(journalEvent, { minLength: 1, maxLength: 12 });
const reading: fc.Arbitrary<Reading> = fc.record({
  events,
  from: fc.nat(14),
  to: fc.option(fc.nat(14), { nil: undefined }),
});

/** What a journal is given it keeps, and nothing else. */
export function contentChecks(subject: JournalSubject): readonly Check<unknown>[] {
  return [
    appendCheck(subject, 'append', (journal, event) => journal.append(event)),
    appendCheck(subject, 'appendRow', appendRow),
    readCheck(subject),
    standingCheck(subject),
    closeCheck(subject),
    replayCheck(subject),
    sameCheck(subject),
    reopenCheck(subject),
  ];
}

/** Runs with a new journal, and closes it whatever happens. */
export async function withJournal(
  { journal }: JournalSubject,
  broken: (journal: Journal) => readonly string[] | Promise<readonly string[]>,
): Promise<readonly string[]> {
  const opened = await journal();
  try {
    return await broken(opened);
  } finally {
    await opened.close();
  }
}

const shown = (event: JournalEvent): string => `append ${JSON.stringify(event)}`;

/** Appends an event in the numbers of its row, if it has one. */
function appendRow(journal: Journal, event: JournalEvent): number {
  const row = new RowSegment(1);
  if (!row.write(0, event)) return journal.append(event);
  const [head, detail, operation, length] = row.words;
  const [, , start, pfn] = row.doubles;
  return journal.appendRow(head!, detail!, operation!, length!, start!, pfn!);
}

function appendCheck(
  subject: JournalSubject,
  how: 'append' | 'appendRow',
  append: (journal: Journal, event: JournalEvent) => number,
): Check<readonly JournalEvent[]> {
  return {
    law: 10,
    what: `with ${how}, positions rise by one from 1, and every event comes back as it was`,
    programs: events,
    shorter: oneLess,
    show: (events) => events.map(shown),
    broken: (events) =>
      withJournal(subject, (journal) => {
        const findings: string[] = [];
        for (const [index, event] of events.entries()) {
          const position = append(journal, event);
          if (position !== index + 1) {
            findings.push(`${how} ${index + 1} answers position ${position}`);
          }
          if (journal.position !== index + 1) {
            findings.push(`after ${how} ${index + 1} the position is ${journal.position}`);
          }
        }
        return [...findings, ...differences(journal.read(1), recorded(events), 'read(1)')];
      }),
  };
}

function readCheck(subject: JournalSubject): Check<Reading> {
  const call = ({ from, to }: Reading): string =>
    to === undefined ? `read(${from})` : `read(${from}, ${to})`;
  return {
    law: 10,
    what: 'a read is half-open, and ends where the journal does',
    programs: reading,
    shorter: (reading) => oneLess(reading.events).map((events) => ({ ...reading, events })),
    show: (program) => [...program.events.map(shown), call(program)],
    broken: (program) =>
      withJournal(subject, (journal) => {
        const { events, from, to = Infinity } = program;
        for (const event of events) journal.append(event);
        const expected = recorded(events).filter(
          ({ position }) => position >= from && position < to,
        );
        const read = to === Infinity ? journal.read(from) : journal.read(from, to);
        return [
          ...differences(read, expected, call(program)),
          ...differences(inPieces(journal, from, to) ?? expected, expected, 'what pieces answers'),
        ];
      }),
  };
}

/** The events `[from, to)` as they are in its pieces, if it answers any. */
function inPieces(journal: Journal, from: number, to: number): Recorded[] | undefined {
  const pieces = journal.pieces(from, to);
  if (pieces === undefined) return undefined;
  const end = Math.min(to, journal.position + 1);
  const events: Recorded[] = [];
  let next = Math.max(from, 1);
  for (const piece of pieces) {
    if (piece.first > next || piece.end <= next) return events;
    for (; next < Math.min(piece.end, end); next++) {
      events.push(piece.rows?.read(next - piece.first, next) ?? piece.at(next));
    }
  }
  return events;
}

function standingCheck(subject: JournalSubject): Check<readonly JournalEvent[]> {
  const what = 'a read ends where the journal stood when it was asked for';
  return {
    law: 10,
    what,
    programs: events,
    shorter: oneLess,
    show: (events) => [...events.map(shown), 'read(1)', 'append one more', 'go through the read'],
    broken: (events) =>
      withJournal(subject, (journal) => {
        for (const event of events) journal.append(event);
        const read = journal.read(1);
        journal.append({ type: 'close', file: 1 });
        return differences(read, recorded(events), 'the read');
      }),
  };
}

function closeCheck(subject: JournalSubject): Check<readonly string[]> {
  const steps = ['append an event', 'close', 'close', 'append another event'];
  const check = { law: 11, what: 'nothing is appended to a journal that is closed' };
  return fixed(check, steps, async () => {
    const journal = await subject.journal();
    journal.append({ type: 'close', file: 1 });
    await journal.close();
    try {
      await journal.close();
    } catch (error) {
      return [`closing twice fails with ${String(error)}`];
    }
    try {
      journal.append({ type: 'close', file: 2 });
    } catch (error) {
      if (error instanceof MemfileError && error.code === 'EBADF') return [];
      return [`append throws ${String(error)}, not EBADF`];
    }
    return ['append is not refused'];
  });
}

function replayCheck({ journal }: JournalSubject): Check<Program> {
  return {
    law: 10,
    what: 'replay equals the state after every step',
    programs: program,
    show: showProgram,
    shorter: shorterPrograms,
    async broken(program) {
      const world = await play(program, { journal });
      const findings = replayFindings(world);
      await tearDown(world);
      return findings;
    },
  };
}

/** The same program leaves the same events, byte for byte, in any journal. */
function sameCheck({ journal }: JournalSubject): Check<Program> {
  return {
    law: 10,
    what: 'holds the very events that a journal in memory holds',
    programs: program,
    show: showProgram,
    shorter: shorterPrograms,
    async broken(program) {
      const world = await play(program, { journal });
      const other = await play(program);
      const there = [...world.memfile.journal.read(1)];
      await tearDown(world);
      return differences(there, [...other.memfile.journal.read(1)], 'the journal');
    },
  };
}

function reopenCheck({ journal, reopen }: JournalSubject): Check<readonly JournalEvent[]> {
  return {
    law: 10,
    what: 'a journal that is opened again has everything, and goes on',
    programs: events,
    shorter: oneLess,
    show: (events) => [...events.map(shown), 'close and open again', 'append one more'],
    skip: () =>
      Promise.resolve(reopen === undefined ? 'no way is given to open it again' : undefined),
    async broken(events) {
      const first = await journal();
      for (const event of events) first.append(event);
      await first.close();
      const last: JournalEvent = { type: 'close', file: 1 };
      const again = { journal: () => reopen!(first) };
      return withJournal(again, (journal) => {
        const { position } = journal;
        const findings = differences(journal.read(1), recorded(events), 'opened again, read(1)');
        if (position !== events.length) findings.push(`opened again, the position is ${position}`);
        const next = journal.append(last);
        if (next !== events.length + 1) findings.push(`opened again, append answers ${next}`);
        return [
          ...findings,
          ...differences(journal.read(next), [{ ...last, position: next }], 'the rest'),
        ];
      });
    },
  };
}

export function recorded(events: readonly JournalEvent[]): Recorded[] {
  return events.map((event, index) => ({ ...event, position: index + 1 }));
}

/** Where what was read is not what was expected; the first place only. */
export function differences(
  read: Iterable<Recorded>,
  expected: readonly Recorded[],
  what: string,
): string[] {
  const events = [...read];
  for (let i = 0; i < Math.max(events.length, expected.length); i++) {
    const [is, should] = [canonical(events[i]), canonical(expected[i])];
    if (is !== should) return [`${what} has ${is} where there is ${should}`];
  }
  return [];
}

/** The same for objects with the same members, in whatever order they were written. */
function canonical(event: Recorded | undefined): string {
  if (event === undefined) return 'nothing';
  const sorted = (_: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(event, sorted);
}
