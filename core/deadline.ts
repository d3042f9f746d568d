import { MemfileError } from './errno.js';
import type { Clock } from './ports.js';

/**
 * Waits for something to end, but not for longer than `ms` milliseconds.
 * @throws MemfileError EBUSY when it takes longer; what it does then is its own affair.
 */
export async function within(
  clock: Clock,
  ms: number,
  what: string,
  end: () => unknown,
): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () =>
      reject(new MemfileError('EBUSY', 'teardown', `${what} was not over within ${ms} ms`)),
    );
  });
  try {
    await Promise.race([end(), late]);
  } finally {
    cancel();
  }
}
