import type { AttachState, BackingStore, StoreFile } from './backing-store.js';
import type { BackingStores } from './backing-stores.js';
import type { Engine } from './engine.js';
import { asMemfileError, MemfileError, messageOf, show } from './errno.js';
import { SEALS, type FileFlag, type Seal } from './event.js';
import { MemoryFile } from './memory-file.js';
import type { NotifierList } from './notifier-list.js';
import { isPageCount, MAX_PAGES } from './page-range.js';
import { takenFrames } from './taken-frames.js';
import type { Registration } from './registration.js';
import type { FileState } from './state.js';

export interface FileOptions {
  /** Size in pages. */
  readonly size: number;
  readonly name?: string | undefined;
  readonly flags?: readonly FileFlag[] | undefined;
  readonly seals?: readonly Seal[] | undefined;
}

/** The names of the stores in a list of plugins. */
export type StoreName<P extends readonly BackingStore[]> = P[number]['name'];

/** The options that files of one store take beside {@link FileOptions}. */
export type StoreOptions<P extends readonly BackingStore[], N extends StoreName<P>> =
  Extract<P[number], { readonly name: N }> extends BackingStore<string, infer Options>
    ? Options
    : never;

/** What a new file has. */
const NOTHING_YET: AttachState = { frames: [], leased: [], quarantined: [] };

const FLAGS: readonly FileFlag[] = ['inaccessible'];

/** The memory files that are open, and how to make more. */
export class MemoryFiles<
  P extends readonly BackingStore[] = readonly BackingStore[],
> implements Iterable<MemoryFile> {
  readonly #engine: Engine;
  readonly #stores: BackingStores;
  readonly #newList: () => NotifierList<Registration>;
  readonly #files = new Map<number, MemoryFile>();

  /** @internal */
  constructor(engine: Engine, stores: BackingStores, newList: () => NotifierList<Registration>) {
    this.#engine = engine;
    this.#stores = stores;
    this.#newList = newList;
  }

  get size(): number {
    return this.#files.size;
  }

  get(id: number): MemoryFile | undefined {
    return this.#files.get(id);
  }

  /** In the order of creation. */
  [Symbol.iterator](): IterableIterator<MemoryFile> {
    return this.#files.values();
  }

  /**
   * Creates a memory file without pages.
   * @throws MemfileError EOPNOTSUPP when no store has that name; EINVAL or EFBIG for a bad size,
   * flag or seal, or options that are no plain data; EBADF after teardown began; EIO when the
   * journal cannot write; and what the store throws.
   */
  create<N extends StoreName<P>>(store: N, options: FileOptions & StoreOptions<P, N>): MemoryFile {
    if (typeof options !== 'object' || options === null) {
      throw refused('EINVAL', `needs options with a size, got ${show(options)}`);
    }
    const { size, name, flags = [], seals = [], ...rest } = options;
    const plugin = this.#stores.get(store);
    if (plugin === undefined) {
      throw refused(
        'EOPNOTSUPP',
        `no backing store "${show(store)}"; there are: ${this.#stores.names}`,
      );
    }
    if (!isPageCount(size)) throw refused('EINVAL', `size must be a page count, got ${show(size)}`);
    if (size > MAX_PAGES) throw refused('EFBIG', `${size} pages`);
    if (name !== undefined && typeof name !== 'string') {
      throw refused('EINVAL', `name must be a string, got ${typeof name}`);
    }
    checkKnown('flag', flags, FLAGS);
    checkKnown('seal', seals, SEALS);
    if (this.#engine.closing) throw refused('EBADF', 'the memfile is being torn down');
    const { state } = this.#engine;
    const id = state.lastFile + 1;
    const called = name ?? `${store}-${id}`;
    const spec = { id, name: called, pages: size, flags, options: copyOf(rest) };
    let pages;
    try {
      pages = plugin.createFile(spec);
    } catch (error) {
      throw asMemfileError(error, 'createFile', `store "${store}"`);
    }
    try {
      this.#engine.begin('createFile', {
        type: 'createFile',
        file: id,
        name: called,
        store,
        pages: size,
        flags: [...flags],
        seals: [...seals],
        options: copyOf(rest),
      });
    } catch (error) {
      giveBack(pages, size);
      throw error;
    }
    try {
      return this.#add(state.files.get(id)!, pages, plugin, NOTHING_YET);
    } catch (error) {
      giveBack(pages, size);
      this.#engine.record({ type: 'close', file: id });
      throw asMemfileError(error, 'createFile', `store "${store}" in attach`);
    }
  }

  /**
   * @internal Opens the file of a journal again: its store makes it anew, and is told which frames
   * are taken.
   */
  reopen(state: FileState): void {
    const { id, name, store, pages, flags, options } = state;
    try {
      const plugin = this.#stores.get(store)!;
      const spec = { id, name, pages, flags, options, reopened: true } as const;
      const taken = takenFrames(this.#engine.state, (file) => file.id === id);
      const frames = state.frames.runs().map(({ start, end, value: pfn }) => ({ start, end, pfn }));
      this.#add(state, plugin.createFile(spec), plugin, { frames, ...taken });
    } catch (error) {
      throw asMemfileError(error, 'createMemfile', `store "${store}", opening "${name}" again,`);
    }
  }

  #add(
    state: FileState,
    pages: StoreFile,
    { capabilities = {} }: BackingStore,
    attached: AttachState,
  ): MemoryFile {
    const file = new MemoryFile(
      this.#engine,
      state,
      pages,
      capabilities,
      this.#newList(),
      () => this.#files.delete(state.id),
      attached,
    );
    this.#files.set(state.id, file);
    return file;
  }
}

function refused(code: 'EOPNOTSUPP' | 'EINVAL' | 'EFBIG' | 'EBADF', detail: string): MemfileError {
  return new MemfileError(code, 'createFile', detail);
}

/** There will be no such file: what its store has reserved for it is free again. */
function giveBack(pages: StoreFile, size: number): void {
  try {
    pages.free(0, size, 'end');
  } catch {
    // Why there is no file says more.
  }
}

/** The caller and the store may change theirs. */
function copyOf<Options extends object>(options: Options): Options {
  if (Object.keys(options).length === 0) return { ...options };
  try {
    return structuredClone(options);
  } catch (error) {
    const why = `options have to be plain data: ${messageOf(error)}`;
    throw new MemfileError('EINVAL', 'createFile', why, { cause: error });
  }
}

function checkKnown(what: string, given: readonly string[], known: readonly string[]): void {
  if (!Array.isArray(given)) throw refused('EINVAL', `${what}s must be a list, got ${show(given)}`);
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const wrong = `${unknown.map(show).join()} is no ${what}`;
  throw refused('EINVAL', `${wrong}; known are ${known.join(', ')}`);
}
