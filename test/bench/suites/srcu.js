/** A reader section over the body it protects, and grace periods beside a bare `await`. */
import { SrcuDomain } from '../../../dist/core/index.js';
import { sink } from '../harness.js';

export default async function srcu(suite) {
  const domain = new SrcuDomain('bench');
  await suite.measure('reader section, ns', {
    memfile: (n) => {
      for (let i = 0; i < n; i++) {
        const index = domain.readLock();
        sink.sum = (sink.sum + i) | 0;
        domain.readUnlock(index);
      }
    },
    'the body alone': (n) => {
      for (let i = 0; i < n; i++) sink.sum = (sink.sum + i) | 0;
    },
    'two counters by hand': byHand(),
  });
  await suite.measure('grace period, ns', {
    'memfile, idle': async (n) => {
      for (let i = 0; i < n; i++) await domain.synchronize();
    },
    'memfile, a reader in': async (n) => {
      for (let i = 0; i < n; i++) {
        const index = domain.readLock();
        const over = domain.synchronize();
        domain.readUnlock(index);
        await over;
      }
    },
    'await null': async (n) => {
      for (let i = 0; i < n; i++) await null;
    },
  });
}

function byHand() {
  const counts = { locks: 0, unlocks: 0 };
  return (n) => {
    for (let i = 0; i < n; i++) {
      counts.locks++;
      sink.sum = (sink.sum + i) | 0;
      counts.unlocks++;
    }
  };
}
