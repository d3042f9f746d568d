import { gfnRange } from '../../adapters/kvm/index.js';
import { Extents, type MemoryFile, type PageRange, type Registration } from '../../core/index.js';
import type { Stage } from '../explore/index.js';
import type { Slot, Translation } from './translations.js';

/** How a consumer finds the guest pages of an event, and which events it asks for. */
export interface Translator {
  readonly translate: Translation;
  /** The pages that it registers for: the whole file, before registrations had ranges. */
  readonly range: ((slot: Slot) => PageRange) | undefined;
}

/** A slot of guest pages over a file, next to other guest pages, and what is mapped there. */
export class Shadow {
  readonly #mapped = new Extents();
  readonly #stage: Stage;
  readonly #file: MemoryFile;
  readonly #slot: Slot;
  #registration!: Registration;

  private constructor(stage: Stage, file: MemoryFile, slot: Slot) {
    this.#stage = stage;
    this.#file = file;
    this.#slot = slot;
    // Guest pages of other memory, before the slot.
    this.#mapped.set(slot.gfn - slot.offset, slot.gfn, 1_000_000);
  }

  static async over(
    stage: Stage,
    file: MemoryFile,
    slot: Slot,
    { translate, range }: Translator,
  ): Promise<Shadow> {
    const shadow = new Shadow(stage, file, slot);
    const invalidate = (start: number, end: number): void =>
      shadow.#invalidate(translate, start, end);
    const options = range === undefined ? {} : { range: range(slot) };
    shadow.#registration = await file.register({ invalidate }, options);
    stage.checks.push(() => shadow.#judge());
    return shadow;
  }

  touch(gfn: number): void {
    const lease = this.#registration.lookup(gfn - this.#slot.gfn + this.#slot.offset);
    this.#mapped.set(gfn, gfn + 1, lease.pfn);
    lease.put();
  }

  #invalidate(translate: Translation, start: number, end: number): void {
    const zapped = translate(this.#slot, start, end);
    if (typeof zapped === 'string') return;
    this.#mapped.delete(...zapped);
    if (zapped[0] >= this.#slot.gfn) return;
    this.#stage.breaks(7, `[${start}, ${end}) of the file zaps guest pages [${zapped.join(', ')})`);
  }

  #judge(): void {
    const { gfn, pages, offset } = this.#slot;
    for (const run of this.#mapped.runs(gfn, gfn + pages)) {
      const page = run.start - gfn + offset;
      if (this.#file.populated(page, page + 1).length > 0) continue;
      this.#stage.breaks(4, `guest page ${run.start} is mapped to page ${page}, which has left`);
    }
  }
}

export const slot: Slot = { gfn: 100, pages: 8, offset: 10 };

/** How it is done here: what lies in the slot, in guest pages; told of nothing else. */
export const intersection: Translator = {
  translate: (slot, start, end) => {
    const range = gfnRange(slot, start, end);
    return range === undefined ? 'none' : [range.start, range.end];
  },
  range: ({ offset, pages }) => ({ start: offset, end: offset + pages }),
};

/** A slot over the middle of a file that is all there. */
export async function shadowed(
  stage: Stage,
  translator: Translator,
): Promise<{ readonly file: MemoryFile; readonly shadow: Shadow }> {
  const file = stage.file('ram', 20);
  await file.fallocate(0, 20);
  return { file, shadow: await Shadow.over(stage, file, slot, translator) };
}
