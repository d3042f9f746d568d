import { arrive } from './arrival.js';
import type { StoreHost } from './backing-store.js';
import { depart } from './departure.js';
import type { FileCore } from './file-core.js';
import { submit } from './submission.js';

/** What a store gets to start operations of its own: what callers may not do is no matter. */
export function storeHost(file: FileCore): StoreHost {
  return {
    invalidate(range, reason = 'device') {
      const { start, end } = range ?? {};
      return submit(file, 'invalidate', start, end, { reason }, (operation) =>
        depart(file, operation, start, end, reason, file.finish),
      );
    },
    fallocate(range, reason = 'device') {
      const { start, end } = range ?? {};
      return submit(file, 'fallocate', start, end, { reason }, (operation) =>
        arrive(file, operation, start, end, reason, false, file.finish),
      );
    },
    quarantined() {
      const { state, engine } = file;
      return engine.state.quarantined.filter(({ store }) => store === state.store);
    },
  };
}
