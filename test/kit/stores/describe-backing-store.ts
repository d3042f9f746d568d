import type { BackingStore } from '../../../core/index.js';
import { lawChecks } from '../world/law-checks.js';
import { PAGES } from '../world/program.js';
import type { FileOptions } from '../world/world-options.js';
import { describeChecks, type KitOptions } from '../suite.js';
import { storeChecks } from './store-checks.js';

export interface BackingStoreOptions extends KitOptions {
  /** How many pages files have; a multiple of 12, so that half a granule is a whole number. */
  readonly pages?: number | undefined;
  /** What `createFile` needs for this store beside a size; of its number from 0, where files differ. */
  readonly fileOptions?: FileOptions | undefined;
}

/**
 * Tests that a backing store keeps the laws, one test for each: random programs of consumers and
 * operations, and a look at every answer that the store gives. What a store has no means for is
 * skipped, and says so.
 *
 * @param factory makes a new store; its name and options are free.
 */
export function describeBackingStore(
  name: string,
  factory: () => BackingStore | Promise<BackingStore>,
  options: BackingStoreOptions = {},
): void {
  const { pages = PAGES, fileOptions } = options;
  if (!Number.isSafeInteger(pages) || pages <= 0 || pages % PAGES !== 0) {
    throw new RangeError(`pages must be a multiple of ${PAGES}, got ${pages}`);
  }
  const subject = { store: factory, pages, fileOptions };
  describeChecks(name, [...lawChecks(subject), ...storeChecks(subject)], options);
}
