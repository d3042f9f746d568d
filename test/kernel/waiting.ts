/** A promise that a test settles when it wants to. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/**
 * Whether `promise` waits for something that is still to be done. An immediate runs when no
 * microtask is left, so whatever could settle by itself has; no clock has a part in it.
 */
export async function isPending(promise: PromiseLike<unknown>): Promise<boolean> {
  let pending = true;
  const settled = (): void => void (pending = false);
  promise.then(settled, settled);
  await new Promise<void>((resolve) => setImmediate(resolve));
  return pending;
}
