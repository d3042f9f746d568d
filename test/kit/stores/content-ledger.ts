import { PAGE_SIZE, type ContentMode, type StoreFile } from '../../../core/index.js';
import type { Finding } from '../finding.js';

/** Follows what pages show: each new one is marked, and no mark may be seen anywhere else. */
export class ContentLedger {
  readonly broken: Finding[] = [];
  readonly #marks = new Map<string, string>();
  #count = 0;
  /** Else what a frame shows comes back with it. */
  readonly #counted: boolean;

  constructor(counted: boolean) {
    this.#counted = counted;
  }

  /** `start` to `end` have frames from `pfn`. */
  arrived(id: number, file: StoreFile, start: number, end: number, pfn: number): void {
    for (let page = start; page < end; page++) {
      const bytes = this.#view(file, pfn + (page - start));
      if (bytes === undefined) return;
      const name = `page ${page} of file ${id}`;
      const shown = this.#marks.get(read(bytes));
      if (shown !== undefined && (this.#counted || shown !== name)) {
        const what = `${name} arrived with frame ${pfn + (page - start)}`;
        this.#breaks(`${what} and shows what ${shown} held`);
      }
      this.#mark(bytes, name);
    }
  }

  /** Pages changed sides: they show what was asked for, and are marked anew. */
  converted(
    id: number,
    file: StoreFile,
    frames: readonly (readonly [page: number, pfn: number])[],
    content: ContentMode,
  ): void {
    for (const [page, pfn] of frames) {
      const bytes = this.#view(file, pfn);
      if (bytes === undefined) return;
      const name = `page ${page} of file ${id}`;
      const shown = read(bytes);
      if (content === 'zero' && bytes.some((byte) => byte !== 0)) {
        this.#breaks(`${name} was converted with content 'zero' and shows something else`);
      }
      if (content === 'preserve' && this.#marks.get(shown) !== name) {
        this.#breaks(`${name} was converted with content 'preserve' and has lost its contents`);
      }
      this.#mark(bytes, name);
    }
  }

  /** Pages were to leave and stayed, as parts of larger ones do: they may have been zeroed. */
  stayed(
    id: number,
    file: StoreFile,
    frames: readonly (readonly [page: number, pfn: number])[],
  ): void {
    for (const [page, pfn] of frames) {
      const bytes = this.#view(file, pfn);
      if (bytes?.every((byte) => byte === 0) === true)
        this.#mark(bytes, `page ${page} of file ${id}`);
    }
  }

  /** Page `page` is looked up, and has frame `pfn`. */
  seen(id: number, file: StoreFile, page: number, pfn: number): void {
    const bytes = this.#view(file, pfn);
    if (bytes === undefined) return;
    const shown = this.#marks.get(read(bytes)) ?? 'nobody';
    if (shown === `page ${page} of file ${id}`) return;
    this.#breaks(`page ${page} of file ${id} shows what ${shown} holds, and not its own contents`);
  }

  #mark(bytes: Uint8Array, page: string): void {
    const mark = `mark ${++this.#count}`.padEnd(16);
    for (let i = 0; i < mark.length; i++) bytes[i] = mark.charCodeAt(i);
    this.#marks.set(mark, page);
  }

  #view(file: StoreFile, pfn: number): Uint8Array | undefined {
    const bytes = file.bytes?.(pfn, 0);
    if (bytes !== undefined && bytes.length !== PAGE_SIZE) {
      this.#breaks(`bytes of one frame has length ${bytes.length}, not ${PAGE_SIZE}`);
    }
    return bytes;
  }

  #breaks(detail: string): void {
    this.broken.push({ law: 4, detail });
  }
}

function read(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 16));
}
