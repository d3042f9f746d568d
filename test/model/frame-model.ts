interface Owner {
  readonly file: number;
  readonly page: number;
}

export interface Broken {
  readonly law: number;
  readonly detail: string;
}

/** Which page has which frame of one store, as far as anybody was ever given one. */
export class FrameModel {
  /** By file, the frame that somebody was given for a page, until the page is told to have left. */
  readonly #frames = new Map<number, Map<number, number>>();
  readonly #owners = new Map<number, Owner>();
  readonly #leases = new Map<number, { readonly owner: Owner; count: number }>();

  /** Frames with an error, that nobody may ever be given again. */
  readonly #poisoned = new Set<number>();

  poisoned(file: number, start: number, end: number): void {
    for (let page = start; page < end; page++) {
      const pfn = this.#of(file).get(page);
      if (pfn !== undefined) this.#poisoned.add(pfn);
    }
  }

  lookedUp(file: number, page: number, pfn: number): Broken | undefined {
    const broken = this.#check(file, page, pfn);
    this.#of(file).set(page, pfn);
    this.#owners.set(pfn, { file, page });
    const lease = this.#leases.get(pfn);
    if (lease !== undefined) lease.count++;
    else this.#leases.set(pfn, { owner: { file, page }, count: 1 });
    return broken;
  }

  put(pfn: number): void {
    const lease = this.#leases.get(pfn);
    if (lease !== undefined && --lease.count === 0) this.#leases.delete(pfn);
  }

  /** A consumer was told that these pages have left. */
  gone(file: number, start: number, end: number): void {
    const frames = this.#of(file);
    if (end - start > frames.size) {
      for (const page of frames.keys()) if (page >= start && page < end) this.#drop(file, page);
    } else for (let page = start; page < end; page++) this.#drop(file, page);
  }

  #check(file: number, page: number, pfn: number): Broken | undefined {
    if (this.#poisoned.has(pfn)) {
      return { law: 4, detail: `page ${page} has frame ${pfn}, which is poisoned` };
    }
    const known = this.#of(file).get(page);
    if (known !== undefined && known !== pfn) {
      const detail = `page ${page} had frame ${known} and has frame ${pfn}, but never left`;
      return { law: 4, detail };
    }
    const owner = this.#owners.get(pfn);
    if (owner !== undefined && (owner.file !== file || owner.page !== page)) {
      const detail = `page ${page} has frame ${pfn}, which page ${owner.page} of file ${owner.file} still has`;
      return { law: 4, detail };
    }
    const lease = this.#leases.get(pfn);
    if (lease !== undefined && (lease.owner.file !== file || lease.owner.page !== page)) {
      const detail = `page ${page} has frame ${pfn}, of which a lease for page ${lease.owner.page} is out`;
      return { law: 9, detail };
    }
    return undefined;
  }

  #drop(file: number, page: number): void {
    const frames = this.#of(file);
    const pfn = frames.get(page);
    if (pfn === undefined) return;
    frames.delete(page);
    this.#owners.delete(pfn);
  }

  #of(file: number): Map<number, number> {
    let frames = this.#frames.get(file);
    if (frames === undefined) this.#frames.set(file, (frames = new Map()));
    return frames;
  }
}
