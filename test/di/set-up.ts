import {
  createMemfile,
  type BackingStore,
  type Clock,
  type Journal,
  type Memfile,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import type { Scope } from '../../core/scope.js';

export interface Scoped {
  readonly memfile: Memfile;
  /** The scope of the memfile as a whole. */
  readonly scope: Scope;
  takeDown(): Promise<void>;
}

export interface ScopedOptions {
  readonly clock?: Clock;
  readonly journal?: Journal;
  readonly deadlineMs?: number;
}

/** Shmem that says when it is closed, and can fail at it. */
export function closing(close: () => void): BackingStore<'shmem'> {
  const inner = shmem();
  return { name: 'shmem', createFile: (spec) => inner.createFile(spec), close };
}

/**
 * A memfile, its own scope, and how to take both down.
 */
export function scoped(
  close: () => void = () => {},
  { clock, journal, deadlineMs = 5000 }: ScopedOptions = {},
): Scoped {
  const teardownDeadlineMs = deadlineMs;
  const memfile: Memfile = createMemfile({
    plugins: [closing(close)],
    clock,
    journal,
    teardownDeadlineMs,
  });
  return { memfile, scope: memfile.scope, takeDown: () => memfile[Symbol.asyncDispose]() };
}
