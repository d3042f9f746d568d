import { arrive } from './arrival.js';
import type { StoreHost } from './backing-store.js';
import { depart } from './departure.js';
import type { FileCore } from './file-core.js';
import { Operation, type Step } from './operation.js';
import { submit } from './submission.js';

/** What a store gets to start operations of its own: what callers may not do is no matter. */
export function storeHost(file: FileCore): StoreHost {
  return {
    frames: (of) => (of === file.store ? file.frames : undefined),
    invalidate(range, reason = 'device') {
      const { start, end } = range ?? {};
      const step: Step = (operation) => depart(file, operation, start, end, reason, file.finish);
      return submit(file, new Operation(file, 'invalidate', start, end, step), { reason });
    },
    fallocate(range, reason = 'device') {
      const { start, end } = range ?? {};
      const step: Step = (operation) =>
        arrive(file, operation, start, end, reason, false, file.finish);
      return submit(file, new Operation(file, 'fallocate', start, end, step), { reason });
    },
    quarantined() {
      const { state, engine } = file;
      return engine.state.quarantined.filter(({ store }) => store === state.store);
    },
  };
}
