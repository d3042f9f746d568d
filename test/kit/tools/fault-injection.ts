import {
  MemfileError,
  type BackingStore,
  type Journal,
  type StoreFile,
} from '../../../core/index.js';
import { overriding } from '../overriding.js';

/** The methods of `T`, by name. */
type MethodOf<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends (...args: never[]) => unknown ? K : never;
}[keyof T] &
  string;

export interface InjectedFault {
  /** Which call fails, counted from 1 over all files. */
  readonly count: number;
  /** What it throws; EIO by default. Nothing is done then. */
  readonly error?: unknown;
}

/**
 * `store`, of which one call fails: `failingStore(shmem(), 'allocate', { count: 3 })` is a store of
 * which the third allocate fails.
 */
export function failingStore<S extends BackingStore>(
  store: S,
  operation: MethodOf<StoreFile> | 'createFile' | 'close',
  fault: InjectedFault,
): S {
  const own = failing(store, operation as MethodOf<BackingStore>, fault);
  if (operation === 'createFile' || operation === 'close') return own as S;
  const counter = { calls: 0 };
  return overriding<BackingStore>(store, {
    createFile: (spec) => failing(store.createFile(spec), operation, fault, counter),
  }) as S;
}

/**
 * `journal`, of which one call fails: of `append`, say, as on a full disk; events that are appended
 * as rows count with that.
 */
export function failingJournal(
  journal: Journal,
  operation: MethodOf<Journal>,
  fault: InjectedFault,
): Journal {
  const counter = { calls: 0 };
  const failed = failing(journal, operation, fault, counter);
  return operation === 'append' ? failing(failed, 'appendRow', fault, counter, operation) : failed;
}

function failing<T extends object>(
  target: T,
  operation: MethodOf<T>,
  { count, error }: InjectedFault,
  counter = { calls: 0 },
  name: string = operation,
): T {
  const method = target[operation] as ((...args: unknown[]) => unknown) | undefined;
  if (method === undefined) return target;
  const call = (...args: unknown[]): unknown => {
    if (++counter.calls !== count) return method.apply(target, args);
    const detail = `call ${count} of ${name} fails on purpose`;
    throw error ?? new MemfileError('EIO', name, detail);
  };
  return overriding(target, { [operation]: call } as Partial<T>);
}
