import type { NotifierCallback } from './event.js';
import type { Operation } from './operation.js';
import { formatRange, type PageRange } from './page-range.js';
import { MemfileError } from './errno.js';
import { isThenable, nodeOf, waitsOn, type WaitNode } from './waits-for.js';

/** Whose callbacks run in a section. */
export interface SectionOwner {
  readonly id: number;
  readonly name: string;
  readonly active: boolean;
  sectionOpened(section: Section): void;
  sectionClosed(section: Section): void;
  evict(): void;
}

/**
 * A reader section of one consumer in one operation, from its callback's first line until
 * everything given to `waitUntil` has settled. It has an object only when it outlives its
 * synchronous part.
 */
export class Section implements WaitNode, PageRange {
  readonly owner: SectionOwner;
  readonly operation: Operation;
  readonly callback: NotifierCallback;
  /** Of the event that its consumer is told of. */
  readonly position: number;
  readonly start: number;
  readonly end: number;
  /** What the callback started in its synchronous part, for the stall report. */
  started: readonly WaitNode[] = NOTHING;
  readonly #failed: (error: unknown) => void;
  /** Of what keeps it open, what is known. */
  #waitsFor: WaitNode[] | undefined;
  #onOver: (() => void)[] | undefined;
  /** What keeps it open; the synchronous part counts as one. */
  #pending = 1;
  #abandoned = false;

  constructor(
    owner: SectionOwner,
    operation: Operation,
    callback: NotifierCallback,
    position: number,
    range: PageRange,
    failed: (error: unknown) => void,
  ) {
    this.owner = owner;
    this.operation = operation;
    this.callback = callback;
    this.position = position;
    this.start = range.start;
    this.end = range.end;
    this.#failed = failed;
    owner.sectionOpened(this);
    operation.opened(this);
  }

  /**
   * Keeps the section open until `promise` settles; its rejection is the consumer's failure.
   * @throws MemfileError EINVAL for anything but a promise; EDEADLK when it is a promise of this
   * framework that cannot settle before this section is over.
   */
  hold(promise: unknown): void {
    if (!isThenable(promise)) {
      throw new MemfileError('EINVAL', 'waitUntil', `needs a promise, got ${typeof promise}`);
    }
    const node = nodeOf(promise);
    if (node !== undefined && waitsOn(node, this)) {
      promise.then(undefined, () => {}); // The refusal is the news; its later rejection is not.
      throw new MemfileError(
        'EDEADLK',
        'waitUntil',
        `${node.describe()} waits for ${this.describe()}`,
      );
    }
    if (node !== undefined) (this.#waitsFor ??= []).push(node);
    this.#pending++;
    Promise.resolve(promise).then(
      () => this.release(),
      (error: unknown) => {
        try {
          if (!this.#abandoned) this.#failed(error);
        } finally {
          this.release();
        }
      },
    );
  }

  /** One thing fewer keeps it open. */
  release(): void {
    if (--this.#pending > 0) return;
    if (!this.#abandoned) this.operation.closed();
    this.owner.sectionClosed(this);
    for (const over of this.#onOver ?? NOTHING) over();
  }

  /** Calls when it is over, which it is not yet. */
  whenOver(call: () => void): void {
    (this.#onOver ??= []).push(call);
  }

  /** Whether its operation has to wait for it. */
  get holdsUp(): boolean {
    return this.#pending > 0 && !this.#abandoned;
  }

  /** The operation goes on without it; the consumer counts as failed. */
  abandon(error: unknown): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#failed(error);
    this.operation.closed();
  }

  waitsFor(): Iterable<WaitNode> {
    return this.#waitsFor ?? NOTHING;
  }

  describe(): string {
    return `${this.callback} ${formatRange(this.start, this.end)} of "${this.owner.name}"`;
  }
}

const NOTHING: readonly never[] = [];
