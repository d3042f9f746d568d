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
 * Lets everything settle that can settle by itself: an immediate runs when no microtask is left.
 * No clock has a part in it.
 */
export function allSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whether `promise` waits for something that is still to be done. */
export async function isPending(promise: PromiseLike<unknown>): Promise<boolean> {
  let pending = true;
  const settled = (): void => void (pending = false);
  promise.then(settled, settled);
  await allSettled();
  return pending;
}
