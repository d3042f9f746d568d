import { Given } from './given.js';
import type { Journal } from './journal.js';

/** A journal has one writer; it knows itself whether it has one. */
export class Written extends Given {
  #now = true;

  static has(journal: Journal): boolean {
    return #now in journal && journal.#now;
  }

  static add(journal: Journal): void {
    if (#now in journal) journal.#now = true;
    // oxlint-disable-next-line no-new -- What it makes is the journal.
    else new Written(journal);
  }

  static delete(journal: Journal): void {
    if (#now in journal) journal.#now = false;
  }
}
