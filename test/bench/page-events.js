/** What the suites of journals record. */
import { lcg } from './harness.js';

const PAGES = 2 ** 20;

export const created = {
  type: 'createFile',
  file: 1,
  name: 'ram',
  store: 'shmem',
  pages: PAGES,
  flags: [],
  seals: [],
  options: {},
};

/** Pages are asked about, come and go, as a run of a VMM has it. */
export function eventsOf(count) {
  const random = lcg(9);
  const events = [];
  for (let operation = 1; events.length < count; operation += 2) {
    const start = random(PAGES - 512);
    const end = start + 1 + random(511);
    const pfn = start + 1;
    const next = operation + 1;
    // Written out as a memfile does: objects made of parts lie in two places.
    events.push({ type: 'prepare', file: 1, operation, start, end, reason: 'fault' });
    events.push({ type: 'fallocate', file: 1, operation, start, end, pfn, reason: 'fault' });
    events.push({ type: 'invalidate', file: 1, operation: next, start, end, reason: 'punch' });
    events.push({ type: 'invalidateEnd', file: 1, operation: next, start, end, reason: 'punch' });
  }
  return events.slice(0, count);
}
