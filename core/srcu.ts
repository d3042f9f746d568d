import { MemfileError, show } from './errno.js';
import { DONE, isThenable, nodeOf, standsFor, waitsOn, type WaitNode } from './waits-for.js';

/** Which of the two counters a reader section was counted in. */
export type SrcuIndex = 0 | 1;

/**
 * Sleepable read-copy-update for readers that hold references to shared things.
 *
 * As in Linux (include/linux/srcu.h): a reader is counted under the index in force when it enters;
 * `synchronize` waits until the idle index has drained, flips, and waits for the other. So readers
 * that enter after the flip never hold it up; while an earlier grace period is under way, the flip
 * waits for its end, and those who enter until then are waited for too. Domains are independent.
 */
export class SrcuDomain {
  readonly name: string;
  /** The open sections under each index; fields are counted in sooner than in an array. */
  #first = 0;
  #second = 0;
  #named: Set<SrcuReader> | undefined;
  #index: SrcuIndex = 0;
  #closed = false;
  /** The one whose flip is made, and the next, which all who came since share. */
  #draining: GracePeriod | undefined;
  #queued: GracePeriod | undefined;

  constructor(name = 'srcu') {
    this.name = name;
  }

  /** How many reader sections are open. */
  get readers(): number {
    return this.#first + this.#second;
  }

  /**
   * Enters a reader section; it may nest, and may be left in another turn of the event loop.
   * @throws MemfileError EBADF after `close`.
   */
  readLock(): SrcuIndex {
    if (this.#closed) throw this.#isClosed();
    const index = this.#index;
    if (index === 0) this.#first++;
    else this.#second++;
    return index;
  }

  /**
   * Leaves the reader section that `readLock` answered `index` for.
   * @throws MemfileError EINVAL for another index, or when no such section is open.
   */
  readUnlock(index: SrcuIndex): void {
    if (index === 0 && this.#first > 0) this.#first--;
    else if (index === 1 && this.#second > 0) this.#second--;
    else throw this.#notOpen(index);
    if (this.#draining !== undefined) this.#advance();
  }

  #isClosed(): MemfileError {
    return new MemfileError('EBADF', 'readLock', `"${this.name}" is closed`);
  }

  #notOpen(index: unknown): MemfileError {
    return new MemfileError(
      'EINVAL',
      'readUnlock',
      `no reader section of "${this.name}" is open under index ${show(index)}; ` +
        'pass what readLock() answered, once',
    );
  }

  /** Enters a section with a name, which can say what it waits for and so be caught in a cycle. */
  reader(name: string): SrcuReader {
    const index = this.readLock();
    const named = (this.#named ??= new Set());
    const reader = new SrcuReader(`${name} reading ${this.name}`, index, () => {
      named.delete(reader);
      this.readUnlock(index);
    });
    named.add(reader);
    return reader;
  }

  /**
   * Runs `body` in a reader section, which lasts until the promise that it may return settles.
   * @throws MemfileError EDEADLK when that promise cannot settle before the section is over.
   */
  read<T>(body: () => T): T {
    const reader = this.reader('a reader');
    let result: T;
    try {
      result = body();
      if (isThenable(result)) reader.waitFor(result);
    } catch (error) {
      // Refused: that it cannot be waited for is the news, what becomes of it is not.
      if (isThenable(result!)) result.then(undefined, () => {});
      reader.exit();
      throw error;
    }
    if (isThenable(result)) result.then(reader.exit, reader.exit);
    else reader.exit();
    return result;
  }

  /** Resolves when every reader section that is open now is over. */
  synchronize(): Promise<void> {
    if (this.readers === 0) return DONE;
    if (this.#queued !== undefined) return this.#queued.over;
    const grace = new GracePeriod(this.name, this.#heldUpBy);
    // The idle index has drained unless a grace period waits for it.
    if (this.#draining === undefined) this.#flip(grace);
    else this.#queued = grace;
    return grace.over;
  }

  /**
   * No reader enters any more. The kernel's `cleanup_srcu_struct` warns and leaks when somebody is
   * still in; here nothing is closed then.
   * @throws MemfileError EBUSY while a reader section or a grace period is open.
   */
  close(): void {
    const waiting = [this.#draining, this.#queued].filter((grace) => grace !== undefined).length;
    if (this.readers > 0 || waiting > 0) {
      const what = `${this.readers} reader sections and ${waiting} grace periods are open`;
      throw new MemfileError('EBUSY', 'close', `"${this.name}": ${what}`);
    }
    this.#closed = true;
  }

  /** The named readers that a grace period is waiting for: until its flip, those to come too. */
  readonly #heldUpBy = (grace: GracePeriod): SrcuReader[] => {
    const named = [...(this.#named ?? [])];
    if (this.#queued === grace) return named;
    return this.#draining === grace ? named.filter(({ index }) => index !== this.#index) : [];
  };

  /** The idle index may have drained. */
  #advance(): void {
    if ((this.#index === 0 ? this.#second : this.#first) > 0) return;
    this.#draining!.resolve();
    this.#draining = undefined;
    const next = this.#queued;
    if (next === undefined) return;
    this.#queued = undefined;
    this.#flip(next);
    this.#advance();
  }

  #flip(grace: GracePeriod): void {
    this.#index = this.#index === 0 ? 1 : 0;
    this.#draining = grace;
  }
}

/** A wait for the readers of a moment. */
class GracePeriod implements WaitNode {
  readonly over: Promise<void>;
  resolve!: () => void;
  readonly #domain: string;
  readonly #heldUpBy: (grace: GracePeriod) => SrcuReader[];

  constructor(domain: string, heldUpBy: (grace: GracePeriod) => SrcuReader[]) {
    this.#domain = domain;
    this.#heldUpBy = heldUpBy;
    this.over = standsFor(new Promise<void>((resolve) => (this.resolve = resolve)), this);
  }

  waitsFor(): SrcuReader[] {
    return this.#heldUpBy(this);
  }

  describe(): string {
    return `synchronize of ${this.#domain}`;
  }
}

/** A named reader section. */
export class SrcuReader implements WaitNode {
  /** @internal What it is counted under. */
  readonly index: SrcuIndex;
  readonly #name: string;
  readonly #leave: () => void;
  readonly #waitsFor: WaitNode[] = [];
  #open = true;

  /** @internal */
  constructor(name: string, index: SrcuIndex, leave: () => void) {
    this.#name = name;
    this.index = index;
    this.#leave = leave;
  }

  get open(): boolean {
    return this.#open;
  }

  /**
   * Says that this section stays open until `promise` settles. Only tells; it does not wait.
   * @throws MemfileError EDEADLK when the promise cannot settle before this section is over.
   */
  waitFor(promise: PromiseLike<unknown>): void {
    const node = nodeOf(promise);
    if (node === undefined) return;
    if (waitsOn(node, this)) {
      throw new MemfileError(
        'EDEADLK',
        'synchronize',
        `${node.describe()} waits for ${this.#name}`,
      );
    }
    this.#waitsFor.push(node);
  }

  readonly exit = (): void => {
    if (!this.#open) return;
    this.#open = false;
    this.#leave();
  };

  [Symbol.dispose](): void {
    this.exit();
  }

  waitsFor(): Iterable<WaitNode> {
    return this.#waitsFor;
  }

  describe(): string {
    return this.#name;
  }
}
