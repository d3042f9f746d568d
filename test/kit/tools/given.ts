import {
  MemfileError,
  type ErrnoCode,
  type JournalEvent,
  type Recorded,
  type MemoryFile,
} from '../../../core/index.js';

/** Something that is done to a file. */
export type Deed = (file: MemoryFile) => unknown;

/** What of an event matters to a test; the rest may be anything. */
export type Expected = Partial<Recorded> & Pick<JournalEvent, 'type'>;

/** The events that a journal has from some position on. */
interface EventSource {
  readonly position: number;
  read(from: number): Iterable<Recorded>;
}

/**
 * Given what happened to a file, when something is done to it, then these events are recorded:
 *
 * @example
 * await given(file, journal, (file) => file.fallocate(0, 8))
 *   .when((file) => file.punchHole(2, 4))
 *   .recorded({ type: 'invalidate', start: 2, end: 4 }, { type: 'invalidateEnd' });
 */
export function given(file: MemoryFile, journal: EventSource, ...deeds: readonly Deed[]): Given {
  return { when: (deed) => outcome(file, journal, deeds, deed) };
}

export interface Given {
  when(deed: Deed): Outcome;
}

export interface Outcome {
  /** Exactly these events are recorded, in this order; rejects with what was recorded otherwise. */
  recorded(...expected: readonly Expected[]): Promise<void>;
  /** It is refused with this code, and nothing is recorded (law 11). */
  refused(code: ErrnoCode): Promise<void>;
}

function outcome(
  file: MemoryFile,
  journal: EventSource,
  deeds: readonly Deed[],
  deed: Deed,
): Outcome {
  const run = async (): Promise<{ readonly failure: unknown; readonly events: Recorded[] }> => {
    for (const earlier of deeds) await earlier(file);
    const before = journal.position;
    let failure: unknown;
    try {
      await deed(file);
    } catch (error) {
      failure = error ?? new Error('it failed with nothing');
    }
    return { failure, events: [...journal.read(before + 1)] };
  };
  return {
    async recorded(...expected) {
      const { failure, events } = await run();
      if (failure !== undefined) throw failure;
      const same = expected.every(
        (part, i) => events[i] !== undefined && includes(events[i], part),
      );
      if (!same || events.length !== expected.length) throw difference(expected, events);
    },
    async refused(code) {
      const { failure, events } = await run();
      const refused = failure instanceof MemfileError && failure.code === code;
      if (!refused) throw new Error(`expected ${code}, got ${String(failure ?? 'no error')}`);
      if (events.length > 0) throw difference([], events);
    },
  };
}

function includes(event: Recorded, part: Expected): boolean {
  const has: Readonly<Record<string, unknown>> = { ...event };
  return Object.entries(part).every(
    ([name, value]) => JSON.stringify(has[name]) === JSON.stringify(value),
  );
}

function difference(expected: readonly Expected[], events: readonly Recorded[]): Error {
  const lines = (list: readonly object[]): string =>
    list.map((event) => `  ${JSON.stringify(event)}`).join('\n') || '  nothing';
  return new Error(`expected to be recorded\n${lines(expected)}\nwas recorded\n${lines(events)}`);
}
