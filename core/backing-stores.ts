import type { BackingStore } from './backing-store.js';
import { MemfileError } from './errno.js';

/** The plugins of one memfile, by name. */
export class BackingStores implements Iterable<BackingStore> {
  readonly #stores = new Map<string, BackingStore>();

  /** @throws MemfileError EINVAL when two plugins have the same name. */
  constructor(plugins: readonly BackingStore[]) {
    for (const plugin of plugins) {
      if (this.#stores.has(plugin.name)) {
        throw new MemfileError('EINVAL', 'createMemfile', `two stores are called "${plugin.name}"`);
      }
      this.#stores.set(plugin.name, plugin);
    }
  }

  get(name: string): BackingStore | undefined {
    return this.#stores.get(name);
  }

  /** For people. */
  get names(): string {
    return [...this.#stores.keys()].join(', ') || 'none';
  }

  [Symbol.iterator](): IterableIterator<BackingStore> {
    return this.#stores.values();
  }
}
