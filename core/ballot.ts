import type { SectionOwner } from './section.js';
import { isThenable } from './waits-for.js';

/** Who was asked whether pages may arrive: each callback and observer of a consumer has a say. */
export class Ballot {
  /** Who was asked, and has not refused. */
  readonly #agreed = new Set<object>();
  /** The callback or observer that runs now. */
  #asked: object | undefined;
  #refusedBy: SectionOwner | undefined;

  /** Another consumer's turn has come. */
  next(): void {
    this.#asked = undefined;
  }

  /** A callback or observer of `owner` is to be asked; false when its consumer has refused already. */
  ask(participant: object, owner: SectionOwner | undefined): boolean {
    if (this.#refusedBy === owner) return false;
    this.#agreed.add(participant);
    this.#asked = participant;
    return true;
  }

  agreed(participant: object): boolean {
    return this.#agreed.has(participant);
  }

  refuse(owner: SectionOwner | undefined): void {
    if (this.#asked !== undefined) this.#agreed.delete(this.#asked);
    this.#refusedBy = owner;
  }

  /** Who is asked now makes its answer depend on a promise. */
  depend(promise: unknown): void {
    const asked = this.#asked;
    if (asked === undefined || !isThenable(promise)) return;
    promise.then(undefined, () => this.#agreed.delete(asked));
  }
}
