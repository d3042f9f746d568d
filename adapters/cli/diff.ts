import { firstDivergence } from '../journal-questions/index.js';
import { EXIT } from './exit.js';
import { withJournal, type JournalFlags } from './journal-file.js';

export interface DiffFlags extends JournalFlags {
  readonly json?: true;
}

/** Compares two journals, and shows the first events that are not the same. */
export function diff(one: string, other: string, flags: DiffFlags): Promise<number> {
  return withJournal(one, flags, (a) =>
    withJournal(other, flags, (b) => {
      const found = firstDivergence(a, b);
      const text = JSON.stringify(found ?? null, (_, value: unknown) => value ?? null, 2);
      const show = (event: unknown): string =>
        event === undefined ? 'has ended' : JSON.stringify(event);
      const people =
        found === undefined
          ? `${one} and ${other} tell the same`
          : `the first events that are not the same:\n  ${one}: ${show(found.a)}\n  ${other}: ${show(found.b)}`;
      process.stdout.write(`${flags.json === true ? text : people}\n`);
      return found === undefined ? EXIT.ok : EXIT.violated;
    }),
  );
}
