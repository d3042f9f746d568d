import type { BackingStores } from './backing-stores.js';
import { within } from './deadline.js';
import type { Engine } from './engine.js';
import { MemfileError, messageOf } from './errno.js';
import type { MemoryFiles } from './memory-files.js';
import type { Clock } from './ports.js';
import type { Scope } from './scope.js';

/**
 * Takes a memfile down: the application's scopes and parts, consumers, then files, then stores, then
 * the journal; in each of them the newest first. One failure does not stop the rest.
 *
 * Consumers that have not let go after `deadlineMs` are evicted.
 * @throws AggregateError of everything that failed.
 */
export async function tearDown(
  engine: Engine,
  scope: Scope,
  files: MemoryFiles,
  stores: BackingStores,
  deadlineMs: number,
): Promise<void> {
  // At once when the application has no parts: nothing may start from here on.
  const failures: unknown[] = scope.empty ? [] : await scope.takeDown();
  void scope.takeDown();
  engine.closing = true;
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  await dismissConsumers(engine.clock, files, deadlineMs, failures);
  for (const file of [...files].reverse()) await attempt(() => file.close());
  const inTime = (what: string, end: () => unknown): Promise<void> =>
    attempt(() => within(engine.clock, deadlineMs, what, end));
  for (const store of [...stores].reverse()) {
    if (store.close !== undefined) await inTime(`store "${store.name}"`, () => store.close!());
  }
  await inTime('the journal', () => engine.close());
  if (failures.length > 0) {
    throw new AggregateError(failures, `teardown: ${failures.map(messageOf).join('; ')}`);
  }
}

async function dismissConsumers(
  clock: Clock,
  files: MemoryFiles,
  deadlineMs: number,
  failures: unknown[],
): Promise<void> {
  const all = [...files];
  const consumers = all.flatMap((file) => file.consumers()).sort((a, b) => b.id - a.id);
  const grace = consumers.map((consumer) => consumer.unregister());
  for (const file of all) grace.push(file.synchronize());
  let cancel = (): void => {};
  const deadline = new Promise<void>((resolve) => {
    cancel = clock.after(deadlineMs, () => {
      // Also those that had left before and are still at work.
      const late = new Set(
        all.flatMap((file) => [...file.openSections()].map(({ owner }) => owner)),
      );
      for (const consumer of late) {
        consumer.evict();
        const why = `"${consumer.name}" has not let go within ${deadlineMs} ms and was evicted`;
        failures.push(new MemfileError('EBUSY', 'teardown', why));
      }
      resolve();
    });
  });
  await Promise.race([Promise.all(grace), deadline]);
  cancel();
}
