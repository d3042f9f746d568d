import { replay, type Journal, type RegistrationState } from '../../core/index.js';
import { isLeased, type PageQuestion } from './last-touch.js';
import { newestFirst } from './newest-first.js';

/** What a consumer knew of a page. */
export interface Mapping {
  readonly consumer: string;
  readonly registration: number;
  /**
   * `there`: it may use the page. `leaving`: it was told to let go, and its answer is not there yet.
   */
  readonly told: 'there' | 'leaving';
  /** Of the event that it was told of; of its registration when its snapshot had the page. */
  readonly position: number;
}

export interface PageLease {
  readonly consumer: string;
  readonly registration: number;
  readonly pfn: number;
  readonly order: number;
  readonly count: number;
  /** The page has another frame by now, or none. */
  readonly stale: boolean;
}

export interface Holders {
  readonly position: number;
  readonly file: number;
  readonly page: number;
  /** The frame of the page; null when it is a hole. */
  readonly pfn: number | null;
  readonly leases: readonly PageLease[];
  /** Who was told of it and did not let go; null when the journal has no deliveries. */
  readonly mappings: readonly Mapping[] | null;
}

/**
 * Who held a page after the event at `at`.
 * @throws MemfileError ESTALE when the journal has forgotten what it takes.
 */
export function holders(
  journal: Journal,
  { file, page, at = journal.position }: PageQuestion,
): Holders {
  const state = replay(journal, at);
  const frame = state.files.get(file)?.frames.get(page) ?? -1;
  const registrations = [...state.registrations.values()].filter((who) => who.file === file);
  const leases = registrations.flatMap(({ id, name, leases }) =>
    [...leases].flatMap(({ pfn, offset, order, count }) => {
      if (!isLeased({ offset, order }, page)) return [];
      const stale = pfn + (page - offset) !== frame;
      return [{ consumer: name, registration: id, pfn, order, count, stale }];
    }),
  );
  const there = registrations.filter(
    ({ left, start, end }) => !left && start <= page && page < end,
  );
  const mappings = mappingsOf(journal, page, state.position, there);
  return { position: state.position, file, page, pfn: frame < 0 ? null : frame, leases, mappings };
}

/** What each was told last, read from the end: whoever registers begins with a snapshot. */
function mappingsOf(
  journal: Journal,
  page: number,
  at: number,
  registrations: readonly RegistrationState[],
): Mapping[] | null {
  const asked = new Map(registrations.map((registration) => [registration.id, registration]));
  const found: Mapping[] = [];
  /** Who has let go, by what of: `registration of`. */
  const done = new Set<string>();
  const waits = new Set<string>();
  for (const event of newestFirst(journal, at)) {
    if (event.type === 'open') return event.level === 'state' ? null : found.reverse();
    if (event.type === 'answer') {
      (event.outcome === 'done' ? done : waits).add(`${event.registration} ${event.of}`);
      continue;
    }
    if (event.type !== 'delivery' && event.type !== 'replay' && event.type !== 'register') continue;
    const { registration, start, end } = event;
    const who = asked.get(registration);
    if (who === undefined || page < start || end <= page) continue;
    const say = (told: Mapping['told'], position: number): void => {
      asked.delete(registration);
      found.push({ consumer: who.name, registration, told, position });
    };
    if (event.type === 'register') {
      if (isUsable(journal, event.position, who, page)) say('there', event.position);
      else asked.delete(registration);
    } else if (event.callback === 'fallocate') {
      say('there', event.type === 'delivery' ? event.of : event.position);
    } else if (event.type === 'delivery' && event.callback === 'invalidate') {
      const key = `${registration} ${event.of}`;
      if (waits.has(key) && !done.has(key)) say('leaving', event.of);
      else asked.delete(registration);
    } else if (event.type === 'delivery' && event.callback === 'invalidateEnd') {
      // Announced as leaving, it stayed, and that is said here.
      if (isUsable(journal, event.of, who, page)) say('there', event.of);
      else asked.delete(registration);
    }
  }
  return null;
}

/** Whether a consumer could use a page after the event at `at`: of its side, and without poison. */
function isUsable(
  journal: Journal,
  at: number,
  { file: id, position }: RegistrationState,
  page: number,
): boolean {
  const file = replay(journal, at).files.get(id);
  if (file?.frames.has(page) !== true || file.poisoned.has(page)) return false;
  const [registered] = journal.read(position, position + 1);
  const access = registered?.type === 'register' ? registered.access : undefined;
  return access === undefined || file.private.has(page) === (access === 'private');
}
