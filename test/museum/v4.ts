import { SrcuDomain } from '../../core/index.js';

/**
 * The seed of this project as it was, faults included: "[PATCH v4 03/12] mm: Introduce
 * memfile_notifier" and what "[PATCH v4 04/12] mm/shmem: Support memfile_notifier" adds for it,
 * January 2022. Written from their behaviour, for tests that compare; nothing else may use it.
 *
 * Calls answer 0 or a negative errno. What may sleep in the kernel is asynchronous here, and a
 * callback that answers a promise is a callback that sleeps.
 */

export const ENOENT = 2;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EOPNOTSUPP = 95;

/** Pages of a transparent huge page. */
export const THP_PAGES = 512;

/** BUG() and BUG_ON(): the machine stops. */
export class KernelBug extends Error {}

/** An intrusive list as in include/linux/list.h: the links live in the members (03/12). */
class Link {
  next: Link = this;
  prev: Link = this;
}

type Callback = (notifier: MemfileNotifier, start: number, end: number) => unknown;

/** 03/12: both members may be missing, and so may `ops` as a whole. */
export interface MemfileNotifierOps {
  readonly invalidate?: Callback | null;
  readonly fallocate?: Callback | null;
}

/** 03/12: it has no range of its own, and every event of the file is told to it. */
export class MemfileNotifier extends Link {
  readonly ops: MemfileNotifierOps | null;

  constructor(ops: MemfileNotifierOps | null) {
    super();
    this.ops = ops;
  }
}

export class MemfileNotifierList extends Link {
  get length(): number {
    let length = 0;
    for (let link = this.next; link !== this; link = link.next) length++;
    return length;
  }
}

/** 03/12: a frame or a negative errno in one number, and the page comes back locked. */
export interface MemfilePfnOps {
  getLockPfn(inode: ShmemInode, offset: number, order: { value: number }): Promise<number>;
  putUnlockPfn(pfn: number): void;
}

/** Where `registerNotifier` leaves the pfn ops: `struct memfile_pfn_ops **` of 03/12. */
export interface PfnOpsSlot {
  ops?: MemfilePfnOps;
}

/** An inode of any file system. */
export class Inode {
  constructor(readonly fileSystem: string) {}
}

/** A page or a huge page of shmem; the lock is PG_locked. */
class Folio {
  locked = false;
  dirty = false;
  uptodate = false;
  readonly #waiting: Array<() => void> = [];

  constructor(
    readonly index: number,
    readonly pages: number,
    readonly pfn: number,
  ) {}

  async lock(): Promise<void> {
    while (this.locked) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.locked = true;
  }

  unlock(): void {
    this.locked = false;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** mm/memfile_notifier.c of 03/12, as compiled with or without CONFIG_SHMEM. */
export class V4Kernel {
  readonly shmem: boolean;
  /** The array of struct page: whose frame is whose. */
  readonly folioOf = new Map<number, Folio>();
  nextFrame = 1;
  /** 03/12, DEFINE_STATIC_SRCU(srcu): one domain for all files there are. */
  readonly #srcu = new SrcuDomain('memfile_notifier');
  readonly #shmemPfnOps: MemfilePfnOps = {
    getLockPfn: (inode, offset, order) => inode.getLockPfn(offset, order),
    /** 04/12, shmem_put_unlock_pfn: set_page_dirty, unlock, put. */
    putUnlockPfn: (pfn) => {
      const folio = this.folioOf.get(pfn)!;
      folio.dirty = true;
      folio.unlock();
    },
  };

  constructor({ shmem }: { readonly shmem: boolean }) {
    this.shmem = shmem;
  }

  /** 03/12: a new notifier goes to the head, and nobody looks whether it is in a list already. */
  registerNotifier(
    inode: Inode | null,
    notifier: MemfileNotifier | null,
    pfnOps: PfnOpsSlot | null,
  ): number {
    if (inode === null || notifier === null || pfnOps === null) return -EINVAL;
    const list = this.#listOf(inode);
    if (typeof list === 'number') return list;
    pfnOps.ops = this.#shmemPfnOps;
    notifier.next = list.next;
    notifier.prev = list;
    list.next.prev = notifier;
    list.next = notifier;
    return 0;
  }

  /** 03/12: silent when there is nothing to do, deadly when the store is unknown. */
  async unregisterNotifier(inode: Inode | null, notifier: MemfileNotifier | null): Promise<void> {
    if (inode === null || notifier === null) return;
    if (typeof this.#listOf(inode) === 'number') throw new KernelBug('memfile_unregister_notifier');
    // list_del_rcu: `next` stays, so that a walk which stands on it can go on.
    notifier.prev.next = notifier.next;
    notifier.next.prev = notifier.prev;
    await this.#srcu.synchronize();
  }

  /** 03/12, memfile_notifier_invalidate and _fallocate: what callbacks answer is dropped. */
  async notify(
    list: MemfileNotifierList,
    member: keyof MemfileNotifierOps,
    start: number,
    end: number,
  ): Promise<void> {
    const index = this.#srcu.readLock();
    for (let link = list.next; link !== list; link = link.next) {
      const notifier = link as MemfileNotifier;
      await notifier.ops?.[member]?.(notifier, start, end);
    }
    this.#srcu.readUnlock(index);
  }

  /** 03/12 knows no store at all; 04/12 asks shmem under #ifdef, which answers EINVAL. */
  #listOf(inode: Inode): MemfileNotifierList | number {
    if (!this.shmem) return -EOPNOTSUPP;
    return inode instanceof ShmemInode ? inode.notifiers : -EINVAL;
  }
}

/** mm/shmem.c with 04/12. Pages, not bytes; `frames` is how many pages it may have in all. */
export class ShmemInode extends Inode {
  /** 04/12: the list lives in shmem_inode_info. */
  readonly notifiers = new MemfileNotifierList();
  readonly #kernel: V4Kernel;
  #frames: number;
  #folios: Folio[] = [];

  constructor(kernel: V4Kernel, frames = Infinity) {
    super('shmem');
    this.#kernel = kernel;
    this.#frames = frames;
  }

  folioAt(page: number): Folio | undefined {
    return this.#folios.find(({ index, pages }) => page >= index && page < index + pages);
  }

  /** A store through a host mapping or write(): 04/12 tells nobody that pages came that way. */
  write(page: number): void {
    const folio = this.folioAt(page) ?? this.#allocate(page, 1);
    if (folio !== undefined) folio.uptodate = true;
  }

  /** 04/12, notify_fallocate: once, at the end, for all of the range, new or not. */
  async fallocate(start: number, end: number, folioPages = 1): Promise<number> {
    for (let page = start; page < end;) {
      const folio = this.folioAt(page) ?? this.#allocate(page, folioPages);
      if (folio === undefined) {
        await this.#undoRange(start, page, true);
        return -ENOSPC;
      }
      page = folio.index + folio.pages;
    }
    await this.#kernel.notify(this.notifiers, 'fallocate', start, end);
    return 0;
  }

  async punchHole(start: number, end: number): Promise<number> {
    await this.#undoRange(start, end, false);
    return 0;
  }

  async truncate(pages: number): Promise<number> {
    await this.#undoRange(pages, Infinity, false);
    return 0;
  }

  /** 04/12, shmem_get_lock_pfn: SGP_NOALLOC, so a hole is an error and stays a hole. */
  async getLockPfn(offset: number, order: { value: number }): Promise<number> {
    for (;;) {
      const folio = this.folioAt(offset);
      if (folio === undefined) return -ENOENT;
      await folio.lock();
      if (this.folioAt(offset) !== folio) {
        folio.unlock(); // It went while we waited for its lock.
        continue;
      }
      order.value = Math.log2(folio.pages);
      return folio.pfn + (offset - folio.index);
    }
  }

  /**
   * shmem_undo_range with notify_invalidate_page of 04/12: page by page, under the page's lock and
   * before it goes. A failed fallocate comes here too (`unfalloc`) and keeps what has contents, but
   * not before having told that it leaves.
   */
  async #undoRange(start: number, end: number, unfalloc: boolean): Promise<void> {
    const folios = this.#folios.filter(({ index, pages }) => index < end && index + pages > start);
    for (const folio of folios.sort((a, b) => a.index - b.index)) {
      await folio.lock();
      const from = Math.max(start, folio.index);
      const to = Math.min(end, folio.index + folio.pages);
      await this.#kernel.notify(this.notifiers, 'invalidate', from, to);
      if (!unfalloc || !folio.uptodate) this.#remove(folio, from, to);
      folio.unlock();
    }
  }

  #allocate(page: number, pages: number): Folio | undefined {
    if (this.#frames < pages) return undefined;
    this.#frames -= pages;
    const pfn = this.#kernel.nextFrame;
    this.#kernel.nextFrame += pages;
    return this.#add(new Folio(Math.floor(page / pages) * pages, pages, pfn));
  }

  /** What of a huge page stays is split into small ones. */
  #remove(folio: Folio, start: number, end: number): void {
    this.#folios = this.#folios.filter((other) => other !== folio);
    for (let page = folio.index; page < folio.index + folio.pages; page++) {
      const pfn = folio.pfn + (page - folio.index);
      if (page >= start && page < end) this.#frames++;
      else this.#add(new Folio(page, 1, pfn)).uptodate = folio.uptodate;
    }
  }

  #add(folio: Folio): Folio {
    this.#folios.push(folio);
    const { folioOf } = this.#kernel;
    for (let pfn = folio.pfn; pfn < folio.pfn + folio.pages; pfn++) folioOf.set(pfn, folio);
    return folio;
  }
}
