import {
  EVENT_HISTORY,
  MemfileError,
  ROW_TYPES,
  type EventType,
  type JournalEvent,
} from '../../core/index.js';
import { NOTIFIER_CALLBACKS, OUTCOMES, REASONS } from '../../core/event.js';

/** What it takes to read rows and payloads that another version wrote, as the journal keeps it. */
export interface Format {
  /** By code; a later version adds at the end only. */
  readonly types: readonly string[];
  readonly reasons: readonly string[];
  readonly callbacks: readonly string[];
  readonly outcomes: readonly string[];
  /** The version of each type of event. */
  readonly versions: Readonly<Record<string, number>>;
}

/** What this version writes. */
export const FORMAT: Format = {
  types: ROW_TYPES,
  reasons: REASONS,
  callbacks: NOTIFIER_CALLBACKS,
  outcomes: OUTCOMES,
  versions: Object.fromEntries(
    Object.entries(EVENT_HISTORY).map(([type, { version }]) => [type, version]),
  ),
};

/** Makes events of a format those of today; undefined when they are. */
export type Upcast = ((event: JournalEvent) => JournalEvent) | undefined;

/** @throws MemfileError EOPNOTSUPP when only a later version of memfile can read the format. */
export function upcastFrom(format: Format): Upcast {
  for (const list of ['types', 'reasons', 'callbacks', 'outcomes'] as const) {
    const unknown = format[list].find((name, code) => FORMAT[list][code] !== name);
    if (unknown !== undefined) throw tooNew(`${list} "${unknown}"`);
  }
  const older = new Map<string, number>();
  for (const [type, version] of Object.entries(format.versions)) {
    const current = FORMAT.versions[type];
    if (current === undefined || version > current) throw tooNew(`${type}, version ${version}`);
    if (version < current) older.set(type, version);
  }
  if (older.size === 0) return undefined;
  return (event) => {
    const version = older.get(event.type);
    if (version === undefined) return event;
    return EVENT_HISTORY[event.type as EventType].upcast(event, version);
  };
}

function tooNew(what: string): MemfileError {
  const detail = `the journal has events that this version does not know (${what}); update memfile`;
  return new MemfileError('EOPNOTSUPP', 'readJournal', detail);
}
