/**
 * A promise that was seen to resolve. What is over when its call returns answers one promise, the
 * same each time: whoever has waited for that once need not give up its turn for it again.
 */
export class KnownOver {
  #known: Promise<void> | undefined;

  has(promise: Promise<void>): boolean {
    return promise === this.#known;
  }

  /** Waits for it; rejects as it does. */
  async wait(promise: Promise<void>): Promise<void> {
    await promise;
    this.#known = promise;
  }
}
