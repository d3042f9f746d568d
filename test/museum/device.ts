import type { BackingStore, FileSpec, StoreFile, StoreHost } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

/** A store whose files can be reached from behind, as a device reaches its memory. */
export interface Device {
  readonly store: BackingStore;
  /** Of its first file: how it is told that pages leave, and what drops them. */
  readonly host: StoreHost;
  discard(start: number, end: number): void;
}

export function device(): Device {
  const inner = shmem();
  const opened: { readonly pages: StoreFile; readonly host: StoreHost }[] = [];
  const createFile = (spec: FileSpec<object>): StoreFile => {
    const pages = inner.createFile(spec);
    return {
      allocate: (start, end) => pages.allocate(start, end),
      free: (start, end) => pages.free(start, end),
      getLockPfn: (page) => pages.getLockPfn(page),
      putUnlockPfn: (pfn) => pages.putUnlockPfn(pfn),
      attach: (host) => void opened.push({ pages, host }),
    };
  };
  return {
    store: { name: 'device', createFile },
    get host() {
      return opened[0]!.host;
    },
    discard: (start, end) => void opened[0]!.pages.free(start, end),
  };
}
