import type {
  MemoryFile,
  Notifier,
  NotifierEvent,
  NotifierFunction,
  PageRange,
  Registration,
} from '../../../core/index.js';
import { recordingConsumer, type RecordingConsumer } from './recording-consumer.js';

/** What a hostile consumer does each time that it is told something. */
export type ConsumerHostility =
  /** Needs time, until it is released. */
  | 'slow'
  /** Throws in every callback; it votes, so it also refuses. */
  | 'throwing'
  /** Answers a promise that rejects, in every callback; it refuses too. */
  | 'rejecting'
  /** Punches the range that it is told of, from inside the callback; the first time only. */
  | 're-entrant'
  /** Unsubscribes itself. */
  | 'leaving';

/** A consumer that nobody would want beside them, and what it was told. */
export class HostileConsumer {
  readonly hostility: ConsumerHostility;
  readonly registration: Registration;
  readonly #record: RecordingConsumer;
  readonly #release: () => void;

  private constructor(
    hostility: ConsumerHostility,
    registration: Registration,
    record: RecordingConsumer,
    release: () => void,
  ) {
    this.hostility = hostility;
    this.registration = registration;
    this.#record = record;
    this.#release = release;
  }

  /** Registers one on a file; rejects as `register` does. */
  static async register(
    file: MemoryFile,
    hostility: ConsumerHostility,
    options: { readonly range?: PageRange; readonly name?: string } = {},
  ): Promise<HostileConsumer> {
    const { range, name = `${hostility} consumer` } = options;
    const record = recordingConsumer({ name, votes: true });
    let waiting: (() => void)[] = [];
    const release = (): void => {
      for (const resolve of waiting.splice(0)) resolve();
    };
    let registration: Registration | undefined;
    let calls = 0;
    const behave: NotifierFunction = (start, end, event) => {
      record[event.type]!(start, end, event);
      calls++;
      switch (hostility) {
        case 'slow':
          return new Promise<void>((resolve) => waiting.push(resolve));
        case 'throwing':
          throw new Error('this consumer throws');
        case 'rejecting':
          return Promise.reject(new Error('this consumer rejects'));
        case 're-entrant':
          // What becomes of it is told by its own events.
          if (calls === 1) file.punchHole(start, end).catch(() => {});
          return undefined;
        case 'leaving':
          registration?.unsubscribe();
          return undefined;
      }
    };
    registration = await file.register(callbacks(hostility, name, behave), { range });
    return new HostileConsumer(hostility, registration, record, release);
  }

  get told(): RecordingConsumer['told'] {
    return this.#record.told;
  }

  get lines(): readonly string[] {
    return this.#record.lines;
  }

  /** What a slow consumer works on is done. */
  release(): void {
    this.#release();
  }
}

/** Only who throws or rejects is asked before: the others have nothing to say. */
function callbacks(
  hostility: ConsumerHostility,
  name: string,
  behave: (start: number, end: number, event: NotifierEvent) => void | PromiseLike<unknown>,
): Notifier {
  const told = { name, fallocate: behave, invalidate: behave, invalidateEnd: behave };
  const refuses = hostility === 'throwing' || hostility === 'rejecting';
  return refuses ? { ...told, prepare: behave, rollback: behave } : told;
}
