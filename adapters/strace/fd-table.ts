import type { Descriptor } from './arguments.js';
import type { MemoryFile, MemoryFiles } from './memory-files.js';
import type { Vm, Vms } from './vms.js';

/** What a descriptor is known to be; `other` is known to be no memory file and no VM. */
export type Opened =
  | { readonly type: 'file'; readonly file: MemoryFile }
  | { readonly type: 'vm'; readonly vm: Vm }
  | { readonly type: 'other' };

export const OTHER: Opened = { type: 'other' };

interface Entry {
  readonly opened: Opened;
  closeOnExec: boolean;
}

/** What is counted by its descriptors. */
export interface Counted {
  readonly files: MemoryFiles;
  readonly vms: Vms;
}

/** One process's descriptors; threads share a table, forks copy it. */
export class FdTable {
  readonly #counted: Counted;
  readonly #entries = new Map<number, Entry>();
  /** Threads known to use the table; the first process's table is kept until the log ends. */
  users = 0;

  constructor(counted: Counted) {
    this.#counted = counted;
  }

  /**
   * What the descriptor is here. When the log names another kind of file (-y), the line belongs to
   * a process of which the log does not tell the fork, and speaks of a table that is not this one.
   */
  get({ fd, annotation }: Descriptor): Opened | undefined {
    const opened = this.#entries.get(fd)?.opened;
    if (opened) return contradicts(opened, annotation) ? OTHER : opened;
    return annotation === undefined || namesMemory(annotation) ? undefined : OTHER;
  }

  set(fd: number, opened: Opened, closeOnExec: boolean): void {
    this.#hold(opened);
    this.#remove(fd);
    this.#entries.set(fd, { opened, closeOnExec });
  }

  setCloseOnExec(descriptor: Descriptor, closeOnExec: boolean): void {
    const entry = this.#entries.get(descriptor.fd);
    if (entry && !contradicts(entry.opened, descriptor.annotation)) {
      entry.closeOnExec = closeOnExec;
    }
  }

  close(descriptor: Descriptor): void {
    const entry = this.#entries.get(descriptor.fd);
    if (entry && !contradicts(entry.opened, descriptor.annotation)) this.#remove(descriptor.fd);
  }

  closeRange(first: number, last: number): void {
    for (const fd of this.#entries.keys()) if (fd >= first && fd <= last) this.#remove(fd);
  }

  closeOnExec(): void {
    for (const [fd, entry] of this.#entries) if (entry.closeOnExec) this.#remove(fd);
  }

  closeAll(): void {
    for (const fd of this.#entries.keys()) this.#remove(fd);
  }

  copy(): FdTable {
    const copy = new FdTable(this.#counted);
    for (const [fd, entry] of this.#entries) copy.set(fd, entry.opened, entry.closeOnExec);
    return copy;
  }

  #remove(fd: number): void {
    const entry = this.#entries.get(fd);
    if (!entry) return;
    this.#entries.delete(fd);
    const { opened } = entry;
    if (opened.type === 'file') this.#counted.files.letGo(opened.file);
    else if (opened.type === 'vm') this.#counted.vms.letGo(opened.vm);
  }

  #hold(opened: Opened): void {
    if (opened.type === 'file') this.#counted.files.hold(opened.file);
    else if (opened.type === 'vm') this.#counted.vms.hold(opened.vm);
  }
}

function namesMemory(annotation: string): boolean {
  return annotation.startsWith('/memfd:') || annotation.includes('/shm/');
}

function contradicts(opened: Opened, annotation: string | undefined): boolean {
  if (annotation === undefined) return false;
  switch (opened.type) {
    case 'file':
      return !namesMemory(annotation);
    case 'vm':
      return !annotation.includes('kvm');
    case 'other':
      return false;
  }
}
