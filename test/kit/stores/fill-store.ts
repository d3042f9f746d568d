import {
  MemfileError,
  MemoryJournal,
  replay,
  type BackingStore,
  type Journal,
  type StoreFile,
  type StoreHost,
} from '../../../core/index.js';
import { optionsOf, type FileOptions } from '../world/world-options.js';

/** Who starts no operation. */
export const NOBODY: StoreHost = {
  invalidate: () => Promise.resolve(),
  fallocate: () => Promise.resolve(),
  quarantined: () => [],
};

const NOTHING = { frames: [], leased: [], quarantined: [] };

/** How many files of a store are filled in search of its limit. */
const MANY_FILES = 64;

export interface FilledStore {
  readonly files: readonly StoreFile[];
  readonly frames: ReadonlySet<number>;
  /** Whether it had no more; else it was given up. */
  readonly full: boolean;
}

/** A new store, told what its events had come to before; what it records goes nowhere. */
export async function opened(
  factory: () => BackingStore | Promise<BackingStore>,
  journal: Journal = new MemoryJournal(),
): Promise<BackingStore> {
  const store = await factory();
  store.attach?.({
    declare(definition) {
      const at = (position?: number) => replay(journal, position, [definition]).own.of(definition);
      return { state: at(), record() {}, at };
    },
  });
  return store;
}

/** Fills new files of a store until it has no more; the first has number `from`. */
export function fillStore(
  store: BackingStore,
  {
    pages,
    fileOptions,
  }: { readonly pages: number; readonly fileOptions?: FileOptions | undefined },
  from = 0,
): FilledStore {
  const files: StoreFile[] = [];
  const frames = new Set<number>();
  for (let number = from; number < MANY_FILES; number++) {
    try {
      const id = number + 1;
      const options = optionsOf(fileOptions, number);
      const file = store.createFile({ id, name: `file ${id}`, pages, flags: [], options });
      file.attach?.(NOBODY, NOTHING);
      files.push(file);
      const error = fillFile(file, pages, (pfn) => frames.add(pfn));
      if (error !== undefined) throw error;
    } catch (error) {
      if (error instanceof MemfileError) return { files, frames, full: true };
      throw error;
    }
  }
  return { files, frames, full: false };
}

/** Allocates what a file has not, group by group; answers why that was not everything, if it was not. */
export function fillFile(
  file: StoreFile,
  pages: number,
  given: (pfn: number, page: number) => void,
): MemfileError | undefined {
  const step = file.granule ?? 1;
  let why: MemfileError | undefined;
  for (let page = 0; page < pages; page += step) {
    try {
      const { runs, error } = file.allocate(page, page + step);
      for (const { start, end, pfn } of runs) {
        for (let i = 0; i < end - start; i++) given(pfn + i, start + i);
      }
      why ??= error;
    } catch (error) {
      if (!(error instanceof MemfileError)) throw error;
      why ??= error;
    }
  }
  return why;
}
