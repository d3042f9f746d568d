import { PageRuns } from './page-runs.js';

export interface Broken {
  readonly law: number;
  readonly detail: string;
}

interface Leased {
  readonly pfn: number;
  readonly file: number;
  readonly page: number;
  count: number;
}

/** Which page has which frame of one store, as far as anybody was ever given one. */
export class FrameModel {
  /** By file, the frame that somebody was given for a page, until the page is told to have left. */
  readonly #frames = new Map<number, PageRuns>();
  /** The page that a frame is, and the frame's number plus that of its file: both rise with it. */
  readonly #pages = new PageRuns();
  readonly #files = new PageRuns();
  readonly #leases = new Map<number, Leased>();
  /** The frame that was leased last, which is mostly put before there is another. */
  #latest: Leased | undefined;

  /** Frames with an error, that nobody may ever be given again. */
  readonly #poisoned = new Set<number>();

  readonly #left = (from: number, to: number, pfn: number): void => {
    this.#pages.remove(pfn, pfn + (to - from));
    this.#files.remove(pfn, pfn + (to - from));
  };

  poisoned(file: number, start: number, end: number): void {
    for (const run of this.#frames.get(file)?.within(start, end) ?? []) {
      for (let i = 0; i < run.end - run.start; i++) this.#poisoned.add(run.value + i);
    }
  }

  lookedUp(file: number, page: number, pfn: number): Broken | undefined {
    let frames = this.#frames.get(file);
    if (frames === undefined) this.#frames.set(file, (frames = new PageRuns()));
    const known = frames.get(page);
    const lease = this.#lease(pfn);
    const broken = this.#check(file, page, pfn, known, lease);
    if (known !== pfn || broken !== undefined) {
      frames.add(page, page + 1, pfn);
      this.#pages.add(pfn, pfn + 1, page);
      this.#files.add(pfn, pfn + 1, pfn + file);
    }
    if (lease !== undefined) lease.count++;
    else {
      if (this.#latest !== undefined) this.#leases.set(this.#latest.pfn, this.#latest);
      this.#latest = { pfn, file, page, count: 1 };
    }
    return broken;
  }

  put(pfn: number): void {
    const lease = this.#lease(pfn);
    if (lease === undefined || --lease.count > 0) return;
    if (lease === this.#latest) this.#latest = undefined;
    else this.#leases.delete(pfn);
  }

  /** A consumer was told that these pages have left. */
  gone(file: number, start: number, end: number): void {
    this.#frames.get(file)?.remove(start, end, this.#left);
  }

  /** Nobody watches the file any more, and all that was known of it is gone. */
  forget(file: number): void {
    this.#frames.delete(file);
  }

  #lease(pfn: number): Leased | undefined {
    return this.#latest?.pfn === pfn ? this.#latest : this.#leases.get(pfn);
  }

  #check(
    file: number,
    page: number,
    pfn: number,
    known: number,
    lease: Leased | undefined,
  ): Broken | undefined {
    if (this.#poisoned.has(pfn)) {
      return { law: 4, detail: `page ${page} has frame ${pfn}, which is poisoned` };
    }
    if (known >= 0 && known !== pfn) {
      const detail = `page ${page} had frame ${known} and has frame ${pfn}, but never left`;
      return { law: 4, detail };
    }
    const owner = this.#pages.get(pfn);
    if (owner >= 0 && (owner !== page || this.#files.get(pfn) !== pfn + file)) {
      const of = this.#files.get(pfn) - pfn;
      const detail = `page ${page} has frame ${pfn}, which page ${owner} of file ${of} still has`;
      return { law: 4, detail };
    }
    if (lease !== undefined && (lease.file !== file || lease.page !== page)) {
      const detail = `page ${page} has frame ${pfn}, of which a lease for page ${lease.page} is out`;
      return { law: 9, detail };
    }
    return undefined;
  }
}
