import {
  MemfileError,
  type Allocation,
  type BackingStore,
  type FileSpec,
  type PageRange,
  type Side,
  type StoreFile,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import type { Fault } from './program.js';

/** What a store sees, for oracles that must not ask the engine. */
export interface StoreLog {
  allocated(file: number, start: number, end: number, pfn: number): void;
  freed(file: number, start: number, end: number): void;
  converted(file: number, start: number, end: number, to: Side): void;
  got(pfn: number): void;
  put(pfn: number): void;
}

/** Shmem that fails, does less than asked, and keeps a log, all as it is told to. */
export class HostileStore implements BackingStore<'hostile'> {
  readonly name = 'hostile';
  readonly capabilities = { conversions: ['unspecified', 'zero', 'preserve'] } as const;
  /** How it misbehaves the next time that this is possible. */
  fault: Fault | undefined;
  closed = 0;
  readonly #inner = shmem();
  readonly #log: StoreLog;

  constructor(log: StoreLog) {
    this.#log = log;
  }

  createFile(spec: FileSpec<object>): StoreFile {
    const inner = this.#inner.createFile(spec);
    const log = this.#log;
    const take = (...faults: readonly Fault[]): Fault | undefined => {
      const { fault } = this;
      if (fault === undefined || !faults.includes(fault)) return undefined;
      this.fault = undefined;
      return fault;
    };
    return {
      allocate(start, end): Allocation {
        const fault = take('allocate throws', 'allocates less');
        if (fault === 'allocate throws') throw new Error('the store has burnt down');
        const middle = fault === undefined ? end : Math.floor((start + end) / 2);
        const { runs } = middle > start ? inner.allocate(start, middle) : { runs: [] };
        for (const run of runs) log.allocated(spec.id, run.start, run.end, run.pfn);
        if (fault === undefined) return { runs };
        return { runs, error: new MemfileError('ENOSPC', 'fallocate', 'half is all there is') };
      },
      free(start, end): readonly PageRange[] | void {
        const fault = take('free throws', 'frees less');
        if (fault === 'free throws') throw new Error('the store is stuck');
        const middle = fault === undefined ? end : Math.floor((start + end) / 2);
        inner.free(start, middle);
        log.freed(spec.id, start, middle);
        return fault === undefined ? undefined : [{ start, end: middle }];
      },
      convert(start, end, to, content) {
        if (take('convert throws') !== undefined) {
          throw new MemfileError('ENOMEM', 'convert', 'there is no room to note it down');
        }
        inner.convert!(start, end, to, content);
        log.converted(spec.id, start, end, to);
      },
      getLockPfn(offset) {
        const answer = inner.getLockPfn(offset);
        log.got(answer.pfn);
        return answer;
      },
      putUnlockPfn(pfn) {
        inner.putUnlockPfn(pfn);
        log.put(pfn);
      },
      bytes: (pfn, order) => inner.bytes!(pfn, order),
    };
  }

  close(): void {
    this.closed++;
  }
}
