import { MemfileError, type Allocation, type BackingStore } from '../../../core/index.js';
import { overriding } from '../overriding.js';
import { overridingFile } from '../stores/overriding-file.js';
import type { Fault } from './program.js';

/** What a store does wrong the next time that it can; a program sets it. */
export interface NextFault {
  fault: Fault | undefined;
}

/** A store that fails and does less than asked, each time that it is told to. */
export function faulty(store: BackingStore, next: NextFault): BackingStore {
  const take = (...faults: readonly Fault[]): Fault | undefined => {
    const { fault } = next;
    if (fault === undefined || !faults.includes(fault)) return undefined;
    next.fault = undefined;
    return fault;
  };
  return overriding(store, {
    createFile(spec) {
      const inner = store.createFile(spec);
      const { granule = 1 } = inner;
      const middleOf = (start: number, end: number): number =>
        Math.max(start, Math.floor((start + end) / 2 / granule) * granule);
      return overridingFile(inner, {
        allocate(start, end): Allocation {
          const fault = take('allocate throws', 'allocates less');
          if (fault === 'allocate throws') throw new Error('the store has burnt down');
          if (fault === undefined) return inner.allocate(start, end);
          const middle = middleOf(start, end);
          const { runs } = middle > start ? inner.allocate(start, middle) : { runs: [] };
          return { runs, error: new MemfileError('ENOSPC', 'fallocate', 'half is all there is') };
        },
        convert(start, end, to, content) {
          if (take('convert throws') !== undefined) {
            throw new MemfileError('ENOMEM', 'convert', 'there is no room to note it down');
          }
          inner.convert?.(start, end, to, content);
        },
        free(start, end, why) {
          const fault = take('free throws', 'frees less');
          if (fault === 'free throws') throw new Error('the store is stuck');
          if (fault === undefined) return inner.free(start, end, why);
          const middle = middleOf(start, end);
          if (middle === start) return [];
          return inner.free(start, middle, why) ?? [{ start, end: middle }];
        },
      });
    },
  });
}
