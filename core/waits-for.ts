import { Given } from './given.js';

/**
 * Who waits for whom, in one graph over everything that this framework makes promises of:
 * operations wait for earlier operations and for reader sections, sections for what was given to
 * `waitUntil`, grace periods for sections. A promise is known by its identity, so nothing that
 * awaits one inside its own code is seen here; the stall report names those.
 */
export interface WaitNode {
  waitsFor(): Iterable<WaitNode>;
  /** Whether nobody waits for it any more; taken to be false. */
  readonly settled?: boolean;
  /** For people: 'punchHole [0, 4) of "ram"'. */
  describe(): string;
}

/** A promise that tells what it stands for, to nobody but us. */
class Standing extends Given {
  readonly #node: WaitNode;

  constructor(promise: object, node: WaitNode) {
    super(promise);
    this.#node = node;
  }

  static nodeOf(promise: object): WaitNode | undefined {
    return #node in promise ? promise.#node : undefined;
  }
}

/** Says what a new promise stands for. */
export function standsFor<P extends object>(promise: P, node: WaitNode): P {
  // oxlint-disable-next-line no-new -- What it makes is the promise.
  new Standing(promise, node);
  return promise;
}

export function nodeOf(promise: object): WaitNode | undefined {
  return Standing.nodeOf(promise);
}

/** Whether `from` waits for `target`, directly or through others. */
export function waitsOn(from: WaitNode, target: WaitNode): boolean {
  const seen = new Set<WaitNode>([from]);
  const open = [from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === target) return true;
    for (const next of node.waitsFor()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Already settled; what a call that had nothing to wait for answers. */
export const DONE: Promise<void> = Promise.resolve();
