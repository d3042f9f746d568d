import type { Journal } from '../../../core/index.js';
import { contentChecks } from './journal-checks.js';
import { retentionCheck } from './retention-check.js';
import { subscriptionChecks } from './subscription-checks.js';
import { describeChecks, type KitOptions } from '../suite.js';

export interface JournalOptions extends KitOptions {
  /** Opens again what a journal left behind when it was closed; for journals that keep it. */
  readonly reopen?: ((closed: Journal) => Journal | Promise<Journal>) | undefined;
}

/**
 * Tests that a journal keeps what it is given: positions, events, reads and subscriptions, and that
 * a memfile which records in it can be replayed. Every journal is closed at the end of its test.
 *
 * @param factory opens a new, empty journal.
 */
export function describeJournal(
  name: string,
  factory: () => Journal | Promise<Journal>,
  options: JournalOptions = {},
): void {
  const subject = { journal: factory, reopen: options.reopen };
  const checks = [
    ...contentChecks(subject),
    retentionCheck(subject),
    ...subscriptionChecks(subject),
  ];
  describeChecks(name, checks, options);
}
