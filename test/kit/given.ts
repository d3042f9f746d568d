import {
  MemfileError,
  type ErrnoCode,
  type JournalEvent,
  type Recorded,
  type MemoryFile,
} from '../../core/index.js';

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
  return new Given(file, journal, deeds);
}

class Given {
  readonly #file: MemoryFile;
  readonly #journal: EventSource;
  readonly #deeds: readonly Deed[];

  constructor(file: MemoryFile, journal: EventSource, deeds: readonly Deed[]) {
    this.#file = file;
    this.#journal = journal;
    this.#deeds = deeds;
  }

  when(deed: Deed): When {
    return new When(this.#file, this.#journal, this.#deeds, deed);
  }
}

class When {
  readonly #file: MemoryFile;
  readonly #journal: EventSource;
  readonly #deeds: readonly Deed[];
  readonly #deed: Deed;

  constructor(file: MemoryFile, journal: EventSource, deeds: readonly Deed[], deed: Deed) {
    this.#file = file;
    this.#journal = journal;
    this.#deeds = deeds;
    this.#deed = deed;
  }

  /** Exactly these events are recorded, in this order; rejects with what is otherwise. */
  async recorded(...expected: readonly Expected[]): Promise<void> {
    const { failure, events } = await this.#run();
    if (failure !== undefined) throw failure;
    const wrong =
      events.length !== expected.length ||
      expected.some((part, i) => !includes(events[i]!, part as Readonly<Record<string, unknown>>));
    if (wrong) throw new Error(difference(expected, events));
  }

  /** It is refused with this code, and nothing is recorded (law 11). */
  async refused(code: ErrnoCode): Promise<void> {
    const { failure, events } = await this.#run();
    if (!(failure instanceof MemfileError) || failure.code !== code) {
      throw new Error(
        `expected ${code}, but it ${failure === undefined ? 'went well' : `failed: ${String(failure)}`}`,
      );
    }
    if (events.length > 0) throw new Error(difference([], events));
  }

  async #run(): Promise<{ readonly failure: unknown; readonly events: readonly Recorded[] }> {
    for (const deed of this.#deeds) await deed(this.#file);
    const before = this.#journal.position;
    let failure: unknown;
    try {
      await this.#deed(this.#file);
    } catch (error) {
      failure = error ?? new Error('it failed with nothing');
    }
    return { failure, events: [...this.#journal.read(before + 1)] };
  }
}

function includes(event: Recorded, part: Readonly<Record<string, unknown>>): boolean {
  const has: Readonly<Record<string, unknown>> = { ...event };
  return Object.entries(part).every(
    ([name, value]) => JSON.stringify(has[name]) === JSON.stringify(value),
  );
}

function difference(expected: readonly Expected[], events: readonly Recorded[]): string {
  const lines = (list: readonly object[]): string =>
    list.map((event) => `  ${JSON.stringify(event)}`).join('\n') || '  nothing';
  return `expected to be recorded\n${lines(expected)}\nwas recorded\n${lines(events)}`;
}
