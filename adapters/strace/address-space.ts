import type { AddressSpace, MappedPiece, TraceAction } from './actions.js';
import type { MemoryFile, MemoryFiles } from './memory-files.js';

/** One mmap of a memory file. Private ones have no id: they only keep their file alive. */
interface Mapping {
  readonly id: number | undefined;
  readonly file: MemoryFile;
  pieces: number;
}

/** A part of a mapping that is still in place. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly mapping: Mapping;
  /** Whether a fork copies it: madvise(MADV_DONTFORK) says no. */
  readonly inherited: boolean;
}

export interface NewMapping {
  readonly file: MemoryFile;
  readonly shared: boolean;
  readonly address: number;
  readonly length: number;
  readonly offset: number;
}

/** What all address spaces of a log have in common. */
export interface SpaceWorld {
  readonly files: MemoryFiles;
  emit(action: TraceAction): void;
  nextMapping(): number;
  nextSpace(): number;
}

/** Where memory files are mapped in one process; everything else in it is left out. */
export class MappedSpace implements AddressSpace {
  readonly id: number;
  /** Threads known to live here; the first process's space is kept until the log ends. */
  users = 0;
  readonly #world: SpaceWorld;
  /** By address, without overlaps. */
  #pieces: Piece[] = [];

  constructor(world: SpaceWorld) {
    this.#world = world;
    this.id = world.nextSpace();
  }

  /** The caller has cleared the range with `unmap` before. */
  map({ file, shared, address, length, offset }: NewMapping, inherited = true): void {
    const id = shared ? this.#world.nextMapping() : undefined;
    const mapping: Mapping = { id, file, pieces: 1 };
    this.#world.files.hold(file);
    const piece = { start: address, end: address + length, offset, mapping, inherited };
    this.#pieces.splice(this.#firstEndingAfter(address), 0, piece);
    if (id === undefined) return;
    const what = { mapping: id, space: this, file: file.id };
    this.#world.emit({ type: 'map', ...what, address, length, offset });
  }

  /** Takes everything out of the range, and cuts what reaches into it. */
  unmap(address: number, length: number): void {
    if (length <= 0) return;
    const end = address + length;
    const first = this.#firstEndingAfter(address);
    let last = first;
    while ((this.#pieces[last]?.start ?? end) < end) last += 1;
    if (first === last) return;
    const taken = this.#pieces.slice(first, last);
    const left: Piece[] = [];
    for (const piece of taken) {
      if (piece.start < address) left.push(part(piece, piece.start, address));
      if (piece.end > end) left.push(part(piece, end, piece.end));
    }
    this.#pieces.splice(first, last - first, ...left);
    for (const piece of left) piece.mapping.pieces += 1;
    for (const piece of taken) this.#took(part(piece, address, end));
  }

  clear(): void {
    const taken = this.#pieces;
    this.#pieces = [];
    for (const piece of taken) this.#took(piece);
  }

  /** What a fork gets: the same mappings, each with an id of its own. */
  copy(): MappedSpace {
    const copy = new MappedSpace(this.#world);
    for (const { start, end, offset, mapping, inherited } of this.#pieces) {
      if (!inherited) continue;
      const { file, id } = mapping;
      copy.map({ file, shared: id !== undefined, address: start, length: end - start, offset });
    }
    return copy;
  }

  setInherited(address: number, length: number, inherited: boolean): void {
    const end = address + length;
    this.#pieces = this.#pieces.flatMap((piece) => {
      if (piece.end <= address || piece.start >= end) return [piece];
      const parts = [{ ...part(piece, address, end), inherited }];
      if (piece.start < address) parts.unshift(part(piece, piece.start, address));
      if (piece.end > end) parts.push(part(piece, end, piece.end));
      piece.mapping.pieces += parts.length - 1;
      return parts;
    });
  }

  resolve(address: number, length: number): MappedPiece[] {
    const found: MappedPiece[] = [];
    if (length <= 0) return found;
    const end = address + length;
    for (let i = this.#firstEndingAfter(address); i < this.#pieces.length; i += 1) {
      const piece = this.#pieces[i];
      if (!piece || piece.start >= end) break;
      const { id, file } = piece.mapping;
      if (id === undefined) continue;
      const from = Math.max(address, piece.start);
      const bytes = Math.min(end, piece.end) - from;
      const offset = piece.offset + from - piece.start;
      found.push({ mapping: id, file: file.id, address: from, length: bytes, offset });
    }
    return found;
  }

  #took(piece: Piece): void {
    const { mapping } = piece;
    mapping.pieces -= 1;
    const gone = mapping.pieces === 0;
    if (mapping.id !== undefined) {
      const range = { address: piece.start, length: piece.end - piece.start };
      this.#world.emit({ type: 'unmap', mapping: mapping.id, space: this, ...range, gone });
    }
    if (gone) this.#world.files.letGo(mapping.file);
  }

  #firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.#pieces[middle];
      if (piece && piece.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The piece clipped to [start, end). */
function part(piece: Piece, start: number, end: number): Piece {
  const from = Math.max(start, piece.start);
  const offset = piece.offset + from - piece.start;
  const { mapping, inherited } = piece;
  return { start: from, end: Math.min(end, piece.end), offset, mapping, inherited };
}
