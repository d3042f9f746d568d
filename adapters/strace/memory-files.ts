import { printable } from './printable.js';
import type { TraceAction } from './actions.js';

/** A memfd, or a file below /dev/shm, while a descriptor or a mapping keeps it alive. */
export class MemoryFile {
  readonly id: number;
  readonly path: string | undefined;
  references = 0;

  constructor(id: number, path: string | undefined) {
    this.id = id;
    this.path = path;
  }
}

/** The memory files alive, counted by descriptors and mappings. */
export class MemoryFiles {
  readonly #emit: (action: TraceAction) => void;
  readonly #byPath = new Map<string, MemoryFile>();
  #created = 0;

  constructor(emit: (action: TraceAction) => void) {
    this.#emit = emit;
  }

  /** A new file; it lives as long as it is referenced, so its maker must hold it at once. */
  create(name: string, flags: string, path?: string): MemoryFile {
    this.#created += 1;
    const file = new MemoryFile(this.#created, path);
    if (path !== undefined) this.#byPath.set(path, file);
    this.#emit({
      type: 'create',
      file: file.id,
      name: printable(name),
      flags: printable(flags),
      hugetlb: flags.split('|').includes('MFD_HUGETLB'),
    });
    return file;
  }

  atPath(path: string): MemoryFile | undefined {
    return this.#byPath.get(path);
  }

  hold(file: MemoryFile): void {
    file.references += 1;
  }

  letGo(file: MemoryFile): void {
    file.references -= 1;
    if (file.references > 0) return;
    if (file.path !== undefined) this.#byPath.delete(file.path);
    this.#emit({ type: 'release', file: file.id });
  }
}
