import { FdTable, type Counted } from './fd-table.js';
import { MappedSpace, type SpaceWorld } from './address-space.js';

/** What a thread uses. */
export interface Task {
  fds: FdTable;
  space: MappedSpace;
}

/** A clone, fork or vfork: which tables the child shares with its parent. */
export interface Sharing {
  readonly files: boolean;
  readonly memory: boolean;
}

/** Threads and their tables. A thread the log does not introduce lives on the first one's tables. */
export class Processes {
  readonly #world: SpaceWorld & Counted;
  readonly #fds: FdTable;
  readonly #space: MappedSpace;
  readonly #tasks = new Map<number, Task>();
  /** Every table a clone or exec made and somebody still uses. */
  readonly #tables = new Set<FdTable | MappedSpace>();
  #first: number | undefined;

  constructor(world: SpaceWorld & Counted) {
    this.#world = world;
    this.#fds = new FdTable(world);
    this.#space = new MappedSpace(world);
  }

  /** The thread, if it has been heard of. */
  find(tid: number): Task | undefined {
    return this.#tasks.get(tid);
  }

  task(tid: number): Task {
    return this.#tasks.get(tid) ?? this.#enter(tid, this.#fds, this.#space);
  }

  clone(parent: Task, child: number, sharing: Sharing): void {
    if (this.#tasks.has(child)) return;
    const fds = sharing.files ? parent.fds : this.#made(parent.fds.copy());
    const space = sharing.memory ? parent.space : this.#made(parent.space.copy());
    this.#enter(child, fds, space);
  }

  exit(tid: number): void {
    const task = this.#tasks.get(tid);
    this.#tasks.delete(tid);
    if (!task) return;
    this.#leave(task.fds);
    this.#leave(task.space);
  }

  /**
   * execve: a new address space, and the descriptors without those closed on exec. A thread that
   * the log did not introduce and that is not the first must be a fork whose clone was not logged:
   * what the first process has stays as it is.
   */
  exec(tid: number): void {
    const task = this.task(tid);
    if (tid === this.#first) {
      task.space.clear();
    } else {
      this.#leave(task.space);
      task.space = this.#made(new MappedSpace(this.#world));
      task.space.users = 1;
      this.unshareFiles(task);
    }
    task.fds.closeOnExec();
  }

  unshareFiles(task: Task): void {
    const alone = this.#tables.has(task.fds) && task.fds.users === 1;
    if (alone) return;
    const fds = this.#made(task.fds.copy());
    this.#leave(task.fds);
    fds.users = 1;
    task.fds = fds;
  }

  /** The log ends: every process goes. */
  end(): void {
    for (const table of [...this.#tables, this.#fds, this.#space]) empty(table);
    this.#tables.clear();
    this.#tasks.clear();
  }

  #enter(tid: number, fds: FdTable, space: MappedSpace): Task {
    this.#first ??= tid;
    const task = { fds, space };
    fds.users += 1;
    space.users += 1;
    this.#tasks.set(tid, task);
    return task;
  }

  #made<T extends FdTable | MappedSpace>(table: T): T {
    this.#tables.add(table);
    return table;
  }

  #leave(table: FdTable | MappedSpace): void {
    table.users -= 1;
    if (table.users <= 0 && this.#tables.delete(table)) empty(table);
  }
}

function empty(table: FdTable | MappedSpace): void {
  if (table instanceof FdTable) table.closeAll();
  else table.clear();
}
