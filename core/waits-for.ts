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

/** Belongs to the promises, not to any instance: a promise tells what it stands for. */
const nodes = new WeakMap<object, WaitNode>();

export function standsFor<P extends object>(promise: P, node: WaitNode): P {
  nodes.set(promise, node);
  return promise;
}

export function nodeOf(promise: object): WaitNode | undefined {
  return nodes.get(promise);
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
