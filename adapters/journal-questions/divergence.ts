import type { Journal, JournalEvent, Recorded } from '../../core/index.js';

/** The first events of two journals that are not the same; undefined where one has ended. */
export interface JournalDivergence {
  readonly a: Recorded | undefined;
  readonly b: Recorded | undefined;
}

/**
 * Where two journals part, or undefined when they tell the same. When something happened, and at
 * which level it was recorded, does not count.
 */
export function firstDivergence(a: Journal, b: Journal): JournalDivergence | undefined {
  const [ours, theirs] = [timeless(a), timeless(b)];
  for (;;) {
    const [one, other] = [ours.next().value, theirs.next().value];
    if (one === undefined && other === undefined) return undefined;
    if (one === undefined || other === undefined || !isSameEvent(one, other)) {
      return { a: one, b: other };
    }
  }
}

const NOT_COMPARED: ReadonlySet<string> = new Set(['of', 'position', 'level', 'version']);

/** Positions are not compared: those of a recording with times are not those of one without. */
export function isSameEvent(a: JournalEvent, b: JournalEvent): boolean {
  return textOf(a) === textOf(b);
}

function* timeless(journal: Journal): Generator<Recorded, undefined> {
  for (const event of journal.read(journal.first)) if (event.type !== 'time') yield event;
}

function textOf(event: JournalEvent): string {
  return JSON.stringify(
    Object.entries(event)
      .filter(([key]) => !NOT_COMPARED.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
