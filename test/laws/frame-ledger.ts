import type { StoreLog } from './hostile-store.js';

interface Worker {
  readonly name: string;
  /** Pieces of its work that are not over. */
  readonly working: number;
  /** It failed to let go, so nobody knows whether it has. */
  readonly failed: boolean;
}

/**
 * Where every frame is, as the store sees it, and who still may use it: an account of law 4 that
 * the engine has no part in.
 */
export class FrameLedger implements StoreLog {
  readonly broken: string[] = [];
  /** References taken and not put. */
  readonly references = new Map<number, number>();
  readonly #frames = new Map<string, number>();
  /** Consumers that were told that the page of a frame leaves. */
  readonly #told = new Map<number, Set<Worker>>();

  told(consumer: Worker, file: number, start: number, end: number): void {
    for (let page = start; page < Math.min(end, 64); page++) {
      const pfn = this.#frames.get(`${file}:${page}`);
      if (pfn === undefined) continue;
      const workers = this.#told.get(pfn) ?? new Set();
      this.#told.set(pfn, workers.add(consumer));
    }
  }

  allocated(file: number, start: number, end: number, pfn: number): void {
    for (let page = start; page < end; page++) {
      const frame = pfn + (page - start);
      const where = `frame ${frame} is handed out for page ${page} of file ${file}`;
      for (const [key, used] of this.#frames) {
        if (used === frame) this.broken.push(`${where} and is page ${key}`);
      }
      if (this.references.has(frame)) this.broken.push(`${where} and is referenced`);
      for (const { name, working, failed } of this.#told.get(frame) ?? []) {
        if (working > 0 || failed) this.broken.push(`${where} and ${name} has not let go`);
      }
      this.#told.delete(frame);
      this.#frames.set(`${file}:${page}`, frame);
    }
  }

  freed(file: number, start: number, end: number): void {
    for (let page = start; page < Math.min(end, 64); page++) this.#frames.delete(`${file}:${page}`);
  }

  /** How many pages of a file the store has. */
  pagesOf(file: number): number {
    return [...this.#frames.keys()].filter((key) => key.startsWith(`${file}:`)).length;
  }

  got(pfn: number): void {
    this.references.set(pfn, (this.references.get(pfn) ?? 0) + 1);
  }

  put(pfn: number): void {
    const count = (this.references.get(pfn) ?? 0) - 1;
    if (count < 0) this.broken.push(`frame ${pfn} is put more often than it was taken`);
    if (count > 0) this.references.set(pfn, count);
    else this.references.delete(pfn);
  }
}
