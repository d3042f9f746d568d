import { MappedSpace, type SpaceWorld } from '../strace/address-space.js';
import { MemoryFile, MemoryFiles } from '../strace/memory-files.js';

/** Address spaces as the actions about them say that they are. */
export class MirroredSpaces {
  readonly #spaces = new Map<number, MappedSpace>();
  readonly #files = new Map<number, MemoryFile>();
  readonly #memory = new MemoryFiles(() => {});
  #mapping = 0;

  get(id: number): MappedSpace {
    let space = this.#spaces.get(id);
    if (space === undefined) this.#spaces.set(id, (space = new MappedSpace(this.#world(id))));
    return space;
  }

  map(
    space: number,
    mapping: number,
    file: number,
    where: { readonly address: number; readonly length: number; readonly offset: number },
  ): void {
    this.#mapping = mapping;
    let mapped = this.#files.get(file);
    if (mapped === undefined) this.#files.set(file, (mapped = new MemoryFile(file, undefined)));
    this.get(space).map({ file: mapped, shared: true, ...where });
  }

  unmap(space: number, address: number, length: number): void {
    this.get(space).unmap(address, length);
  }

  release(file: number): void {
    this.#files.delete(file);
  }

  #world(id: number): SpaceWorld {
    return {
      files: this.#memory,
      emit: () => {},
      nextMapping: () => this.#mapping,
      nextSpace: () => id,
    };
  }
}
