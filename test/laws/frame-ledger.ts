import type { Access, PageRange, Side } from '../../core/index.js';
import { PageSet } from '../model/page-set.js';
import type { StoreLog } from './hostile-store.js';

interface Conversion extends PageRange {
  readonly to: Side;
  readonly position: number;
}

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

  /** By file, which pages are private, and since which position. */
  readonly #sides = new Map<number, Conversion[]>();
  /** Frames with an error. */
  readonly #poisoned = new Set<number>();
  /** The position that the next event has; what is to be looked at when pages change sides. */
  position = (): number => 0;
  onConvert = (_file: number, _start: number, _end: number, _to: Side): void => {};

  sideOf(file: number, page: number, position = Infinity): Side {
    const before = (this.#sides.get(file) ?? []).filter(
      (one) => one.position <= position && page >= one.start && page < one.end,
    );
    return before.at(-1)?.to ?? 'shared';
  }

  /** What a consumer with such access can use of a range. */
  usable(file: number, { start, end }: PageRange, access: Access): PageRange[] {
    const pages = new PageSet();
    for (let page = start; page < Math.min(end, 64); page++) {
      const frame = this.#frames.get(`${file}:${page}`);
      if (frame === undefined || this.#poisoned.has(frame)) continue;
      if (access === 'both' || access === this.sideOf(file, page)) pages.add(page, page + 1);
    }
    return pages.within(0, 64);
  }

  /** The first page of a range that is not of that side and whose frame is referenced. */
  heldAgainst(file: number, { start, end }: PageRange, to: Side): number | undefined {
    for (let page = start; page < Math.min(end, 64); page++) {
      const frame = this.#frames.get(`${file}:${page}`);
      if (frame === undefined || this.sideOf(file, page) === to) continue;
      if (this.references.has(frame)) return page;
    }
    return undefined;
  }

  poisoned(file: number, start: number, end: number): void {
    for (let page = start; page < end; page++) {
      const frame = this.#frames.get(`${file}:${page}`);
      if (frame !== undefined) this.#poisoned.add(frame);
    }
  }

  isPoisoned(file: number, page: number): boolean {
    const frame = this.#frames.get(`${file}:${page}`);
    return frame !== undefined && this.#poisoned.has(frame);
  }

  frameOf(file: number, page: number): number | undefined {
    return this.#frames.get(`${file}:${page}`);
  }

  has(file: number, page: number): boolean {
    return this.#frames.has(`${file}:${page}`);
  }

  converted(file: number, start: number, end: number, to: Side): void {
    const held = this.heldAgainst(file, { start, end }, to);
    if (held !== undefined) this.broken.push(`page ${held} of file ${file} is converted, and held`);
    this.onConvert(file, start, end, to);
    const sides = this.#sides.get(file) ?? [];
    sides.push({ start, end, to, position: this.position() });
    this.#sides.set(file, sides);
  }

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
      if (this.#poisoned.has(frame)) this.broken.push(`${where} and is poisoned`);
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
