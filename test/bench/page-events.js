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
    const came = { file: 1, operation, start, end, reason: 'fault' };
    const went = { file: 1, operation: operation + 1, start, end, reason: 'punch' };
    events.push({ type: 'prepare', ...came });
    events.push({ type: 'fallocate', ...came, pfn: start + 1 });
    events.push({ type: 'invalidate', ...went });
    events.push({ type: 'invalidateEnd', ...went });
  }
  return events.slice(0, count);
}
