import type { Access, Memfile, MemoryFile, PageRange, Side } from '../../../core/index.js';
import type { WatchedStore } from '../stores/watched-store.js';
import { Sides } from '../world/sides.js';
import { FILE_PAGES } from './consumer-program.js';

interface Used {
  /** The frame by which the consumer uses a page now; -1 or undefined when it uses none. */
  frameOf(page: number): number | undefined;
  isNeighbour(name: string): boolean;
  breaks(law: number, detail: string): void;
}

/** What a consumer uses, against what it may use by the books of the store. */
export class Usage {
  readonly #memfile: Memfile;
  readonly #file: MemoryFile;
  readonly #store: WatchedStore;
  readonly #used: Used;
  /** Which pages are private, by what the store was asked to convert. */
  readonly #sides = new Sides();
  /** Which pages the registrations of the consumer have. */
  readonly #access = new Set<Access>();
  /** How far the journal was read. */
  #position = 0;

  constructor(memfile: Memfile, file: MemoryFile, store: WatchedStore, used: Used) {
    this.#memfile = memfile;
    this.#file = file;
    this.#store = store;
    this.#used = used;
  }

  /** From here on whatever the store does to pages is looked at before it does so. */
  watch(): void {
    this.#store.onFree = (_, start, end) => this.#freed(start, end);
    this.#store.onConvert = (_, start, end, to) => this.#converting({ start, end }, to);
  }

  /** Whatever happens: who uses a page uses the frame that it has, if the page is for it to use. */
  look(): void {
    const { ledger } = this.#store;
    const { id } = this.#file;
    this.#readOn();
    for (const [page, used] of this.#frames(0, 2 * FILE_PAGES)) {
      const side = this.#sides.sideOf(id, page);
      if (ledger.isPoisoned(id, page)) {
        this.#breaks(4, `the consumer uses page ${page}, which is poisoned`);
      }
      if (!this.#access.has(side) && !this.#access.has('both')) {
        this.#breaks(8, `the consumer uses page ${page}, which is ${side} and not for it`);
      }
      const frame = ledger.frameOf(id, page);
      if (used === frame) continue;
      if (ledger.references.has(used)) continue; // It holds a lease of the old frame.
      const has = frame === undefined ? 'is not there' : `has frame ${frame}`;
      this.#breaks(4, `the consumer uses frame ${used} for page ${page}, which ${has}`);
    }
  }

  /** The consumer has ended. */
  over(): void {
    for (const [page, used] of this.#frames(0, 2 * FILE_PAGES)) {
      this.#breaks(6, `the consumer has ended, and uses frame ${used} for page ${page}`);
    }
  }

  /** The store is about to free these pages: nobody may use them without a lease. */
  #freed(start: number, end: number): void {
    this.#readOn();
    for (const [page, used] of this.#frames(start, Math.min(end, 2 * FILE_PAGES))) {
      if (this.#store.ledger.references.has(used)) continue;
      const what = `and the consumer uses frame ${used} for it`;
      const arrived = this.#file.populated(page, page + 1).length > 0;
      if (arrived) this.#breaks(4, `page ${page} is freed, ${what}`);
      else this.#breaks(8, `page ${page} never arrived, ${what}`);
    }
  }

  /** Pages are changing sides: nobody uses them as they were. */
  #converting(range: PageRange, to: Side): void {
    const { id } = this.#file;
    const from = to === 'private' ? 'shared' : 'private';
    for (const { start, end } of this.#sides.within(id, range, from)) {
      for (const [page, used] of this.#frames(start, end)) {
        this.#breaks(8, `page ${page} becomes ${to}, and the consumer uses frame ${used} for it`);
      }
    }
    this.#sides.changed(id, range.start, range.end, to, this.#memfile.state.position + 1);
  }

  /** What is recorded of poison is so at once: by then everybody has let go. */
  #readOn(): void {
    const { journal } = this.#memfile;
    for (const event of journal.read(this.#position + 1)) {
      if (event.type === 'poison') this.#store.ledger.poisoned(event.file, event.start, event.end);
      if (event.type === 'register' && !this.#used.isNeighbour(event.name)) {
        this.#access.add(event.access ?? 'both');
      }
    }
    this.#position = journal.position;
  }

  *#frames(start: number, end: number): Iterable<readonly [page: number, frame: number]> {
    for (let page = start; page < end; page++) {
      const frame = this.#used.frameOf(page);
      if (frame !== undefined && frame >= 0) yield [page, frame];
    }
  }

  #breaks(law: number, detail: string): void {
    this.#used.breaks(law, detail);
  }
}
