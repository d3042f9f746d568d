import {
  createMemfile,
  MemfileError,
  type BackingStore,
  type Memfile,
  type MemoryFile,
} from '../../../core/index.js';
import type { PlayOptions } from '../world/play.js';
import { PAGES } from '../world/program.js';
import { optionsOf } from '../world/world-options.js';
import { fillStore, opened, type FilledStore } from './fill-store.js';
import { restartCheck } from './restart-check.js';
import { fixed, type Check } from '../suite.js';
import { WatchedStore } from './watched-store.js';

export interface StoreSubject extends PlayOptions {
  readonly store: () => BackingStore | Promise<BackingStore>;
}

/** What is asked of a store beside the laws that every program is judged by. */
export function storeChecks(subject: StoreSubject): readonly Check<unknown>[] {
  return [restartCheck(subject), limitCheck(subject), refusalCheck(subject)];
}

/** Law 9: what was freed and put can be had again, all of it and as often as one likes. */
function limitCheck({ store, pages = PAGES, fileOptions }: StoreSubject) {
  const fill = (store: BackingStore): FilledStore => fillStore(store, { pages, fileOptions });
  const steps = [
    'fill files until the store has no more',
    'look a page of the first file up',
    'free everything, and fill the store again',
    'free everything, put the frame, and fill the store once more',
  ];
  const skip = async (): Promise<string | undefined> => {
    const { full, frames } = fill(await opened(store));
    return full
      ? undefined
      : `no limit within ${frames.size} pages; describe one that is smaller too`;
  };
  const what = 'a full store that was emptied can be filled again';
  return fixed({ law: 9, what, skip }, steps, async () => {
    const subject = await opened(store);
    const empty = ({ files }: FilledStore): void => {
      for (const file of files) file.free(0, pages);
    };
    const first = fill(subject);
    const total = first.frames.size;
    if (total === 0) return ['the store gives no page at all'];
    const file = first.files[0]!;
    const { pfn, order } = file.getLockPfn(0);
    empty(first);
    const again = fill(subject);
    const findings: string[] = [];
    const counted = subject.capabilities?.counted !== false;
    if (counted && again.frames.has(pfn)) {
      findings.push(`frame ${pfn} is handed out again while a reference to it is out`);
    }
    const leak = ({ frames }: FilledStore): string =>
      `${frames.size} pages of ${total} can be had again: frames leak`;
    const pinned = counted ? Math.max(2 ** order, file.granule ?? 1) : 0;
    if (again.frames.size < total - pinned) findings.push(leak(again));
    empty(again);
    file.putUnlockPfn(pfn);
    const last = fill(subject);
    return last.frames.size === total ? findings : [...findings, leak(last)];
  });
}

/** Law 11: what is refused never reaches the store, and leaves nothing behind. */
function refusalCheck({ store, pages = PAGES, fileOptions }: StoreSubject) {
  const options = optionsOf(fileOptions, 0);
  type Call = (file: MemoryFile, memfile: Memfile, name: string) => unknown;
  type Named = readonly [shown: string, code: string, call: Call];
  const calls: readonly Named[] = [
    ['fallocate(2, 2)', 'EINVAL', (file) => file.fallocate(2, 2)],
    ['fallocate(-1, 2)', 'EINVAL', (file) => file.fallocate(-1, 2)],
    ['fallocate(0, NaN)', 'EINVAL', (file) => file.fallocate(0, NaN)],
    ['fallocate(0, 2 ** 52)', 'EFBIG', (file) => file.fallocate(0, 2 ** 52)],
    ['punchHole(3, 1)', 'EINVAL', (file) => file.punchHole(3, 1)],
    ['punchHole(0.5, 1)', 'EINVAL', (file) => file.punchHole(0.5, 1)],
    ['truncate(-1)', 'EINVAL', (file) => file.truncate(-1)],
    ['truncate(2 ** 52)', 'EFBIG', (file) => file.truncate(2 ** 52)],
    ['createFile with size -1', 'EINVAL', (_, memfile, name) => create(memfile, name, -1)],
    ['createFile with size 2 ** 52', 'EFBIG', (_, memfile, name) => create(memfile, name, 2 ** 52)],
  ];
  const create = (memfile: Memfile, name: string, size: number): unknown =>
    memfile.createFile(name, { ...options, size });
  const steps = [...calls.map(([shown]) => shown), 'whatever the capabilities rule out'];
  return fixed({ law: 11, what: 'bad input changes nothing' }, steps, async () => {
    const watched = new WatchedStore(await store());
    const { name } = watched.store;
    const memfile: Memfile = createMemfile({ plugins: [watched.store] });
    const file = memfile.createFile(name, { ...options, size: pages });
    await watched.hosts.get(file.id)!.fallocate({ start: 0, end: pages / 2 });
    const { fallocate = true, punchHole = true } = watched.store.capabilities ?? {};
    const unsupported: Named[] = [
      ['fallocate(0, 4)', 'EOPNOTSUPP', (file) => file.fallocate(0, 4)],
      ['punchHole(0, 4)', 'EOPNOTSUPP', (file) => file.punchHole(0, 4)],
    ];
    const refused = unsupported.filter((_, i) => ![fallocate, punchHole][i]);
    const asked = watched.calls;
    const before = JSON.stringify(memfile.state.toJSON());
    const findings: string[] = [];
    for (const [shown, code, call] of [...calls, ...refused]) {
      const error = await errorOf(() => call(file, memfile, name));
      if (!(error instanceof MemfileError)) findings.push(`${shown} answers ${String(error)}`);
      else if (error.code !== code) findings.push(`${shown} is ${error.message}, not ${code}`);
      else if (error.effect !== 'none') findings.push(`${shown} has effect '${error.effect}'`);
    }
    if (JSON.stringify(memfile.state.toJSON()) !== before) findings.push('the state has changed');
    if (watched.calls > asked) findings.push('the store was asked for what was refused');
    await memfile[Symbol.asyncDispose]();
    return findings;
  });
}

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return 'nothing';
  } catch (error) {
    return error;
  }
}
