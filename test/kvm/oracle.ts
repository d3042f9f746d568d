import type { MemslotSpec, Stage2Mapping } from '../../adapters/kvm/index.js';
import type { LedgerStore } from './ledger-store.js';

/** What the program knows that one VM should be: from what it asked for and what was answered. */
export class VmModel {
  readonly name: string;
  readonly slots = new Map<number, MemslotSpec>();
  readonly #private = new Set<number>();
  /** Changes that were asked for and not answered; until they are, only frames are judged. */
  pending = 0;

  readonly #store: LedgerStore;

  constructor(name: string, store: LedgerStore) {
    this.name = name;
    this.#store = store;
  }

  /** As the file has it where a slot takes both sides from one, as the VM was told elsewhere. */
  isPrivate(gfn: number): boolean {
    const slot = this.#overFile(gfn);
    if (slot === undefined) return this.#private.has(gfn);
    const { file, offset } = slot.guestMemfd!;
    return this.#store.isPrivate(file.id, offset + (gfn - slot.gfn));
  }

  setPrivate(start: number, end: number, isPrivate: boolean): void {
    for (let gfn = start; gfn < end; gfn++) {
      if (this.#overFile(gfn) !== undefined) continue;
      if (isPrivate) this.#private.add(gfn);
      else this.#private.delete(gfn);
    }
  }

  #overFile(gfn: number): MemslotSpec | undefined {
    const slot = this.slotAt(gfn);
    const both = slot?.guestMemfd !== undefined && (slot.pieces ?? []).length === 0;
    return both ? slot : undefined;
  }

  slotAt(gfn: number): MemslotSpec | undefined {
    for (const slot of this.slots.values()) {
      if (gfn >= slot.gfn && gfn < slot.gfn + slot.pages) return slot;
    }
    return undefined;
  }

  /** Whether the file lets such an access have the page, there or not. */
  usable(gfn: number, isPrivate: boolean): boolean {
    const { file, page } = this.target(gfn, isPrivate)!;
    const frame = this.#store.frameOf(file, page);
    if (frame !== undefined && this.#store.poisoned.has(frame)) return false;
    const blind = isPrivate && this.#overFile(gfn) === undefined;
    return blind || this.#store.isPrivate(file, page) === isPrivate;
  }

  /** The page that an access should reach. */
  target(
    gfn: number,
    isPrivate: boolean,
  ): { readonly file: number; readonly page: number } | undefined {
    const slot = this.slotAt(gfn);
    if (slot === undefined) return undefined;
    const { guestMemfd } = slot;
    const pieces = slot.pieces ?? [];
    if (guestMemfd !== undefined && (isPrivate || pieces.length === 0)) {
      return { file: guestMemfd.file.id, page: guestMemfd.offset + (gfn - slot.gfn) };
    }
    if (isPrivate) return undefined;
    const piece = pieces.find((piece) => gfn >= piece.gfn && gfn < piece.gfn + piece.pages);
    return piece && { file: piece.file.id, page: piece.offset + (gfn - piece.gfn) };
  }
}

/**
 * Judges dumps of stage-2 by the books of the store and by what the program asked for; it knows
 * nothing of the tables of the adapter.
 */
export class Stage2Oracle {
  readonly broken = new Set<string>();
  readonly #store: LedgerStore;

  constructor(store: LedgerStore) {
    this.#store = store;
  }

  judge(model: VmModel, dump: readonly Stage2Mapping[]): void {
    for (const mapping of dump) {
      this.#judgeLevel(model, mapping);
      for (let gfn = mapping.start; gfn < mapping.end; gfn++) {
        const frame = mapping.pfn + (gfn - mapping.start);
        const where = `${model.name}: guest page ${gfn}`;
        if (!this.#store.isLive(frame)) {
          this.broken.add(`I1: ${where} is mapped to frame ${frame}, which was freed`);
        }
        if (this.#store.poisoned.has(frame)) {
          this.broken.add(`I11: ${where} is mapped to frame ${frame}, which is poisoned`);
        }
        if (model.pending > 0) continue;
        if (mapping.private !== model.isPrivate(gfn)) {
          this.broken.add(`I2: ${where} is mapped ${mapping.private ? 'private' : 'shared'}`);
        }
        this.#judgeTarget(model, gfn, frame, mapping.private, where);
      }
    }
  }

  /** No frame is free before its translations are gone. */
  freed(model: VmModel, dump: readonly Stage2Mapping[], frames: ReadonlySet<number>): void {
    for (const { start, end, pfn } of dump) {
      for (let gfn = start; gfn < end; gfn++) {
        if (!frames.has(pfn + (gfn - start))) continue;
        this.broken.add(`I7: ${model.name}: guest page ${gfn} is mapped while its frame is freed`);
      }
    }
  }

  /** No page changes sides before its translations are gone. */
  converted(model: VmModel, dump: readonly Stage2Mapping[], frames: ReadonlySet<number>): void {
    for (const { start, end, pfn } of dump) {
      for (let gfn = start; gfn < end; gfn++) {
        if (!frames.has(pfn + (gfn - start))) continue;
        this.broken.add(`I10: ${model.name}: guest page ${gfn} is mapped while it changes sides`);
      }
    }
  }

  #judgeTarget(
    model: VmModel,
    gfn: number,
    frame: number,
    isPrivate: boolean,
    where: string,
  ): void {
    const target = model.target(gfn, isPrivate);
    if (target !== undefined && !model.usable(gfn, isPrivate)) {
      this.broken.add(`I10: ${where} is mapped for an access that its file does not allow`);
    }
    const origin = this.#store.originOf(frame);
    if (target?.file === origin?.file && target?.page === origin?.page) return;
    const is = origin && `page ${origin.page} of file ${origin.file}`;
    const should = target ? `page ${target.page} of file ${target.file}` : 'nothing';
    this.broken.add(`I1: ${where} is mapped to ${is}, and should be ${should}`);
  }

  #judgeLevel({ name }: VmModel, { start, end, pfn, level }: Stage2Mapping): void {
    if (level === 1) return;
    if (level === 3 || start % 512 !== 0 || end % 512 !== 0 || pfn % 512 !== 0) {
      this.broken.add(`I1: ${name}: [${start}, ${end}) is no mapping of level ${level}`);
    }
  }
}
