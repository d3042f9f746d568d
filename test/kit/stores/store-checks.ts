import {
  createMemfile,
  MemfileError,
  type BackingStore,
  type Memfile,
  type MemoryFile,
  type StoreFile,
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
    'free a page of the first file, and ask for all of the last one at once',
    'look a page of the first file up twice',
    'free everything, and fill the store again',
    'free everything, put the frame once, and fill the store again',
    'free everything, put the frame once more, and fill the store again',
  ];
  const skip = async (): Promise<string | undefined> => {
    const { full, frames } = fill(await opened(store));
    return full
      ? undefined
      : `no limit within ${frames.size} pages; describe one that is smaller too`;
  };
  const askForAll = (file: StoreFile): void => {
    try {
      file.allocate(0, pages);
    } catch (error) {
      if (!(error instanceof MemfileError)) throw error;
    }
  };
  const what = 'a full store that was emptied can be filled again';
  return fixed({ law: 9, what, skip }, steps, async () => {
    const subject = await opened(store);
    const first = fill(subject);
    const total = first.frames.size;
    if (total === 0) return ['the store gives no page at all'];
    const file = first.files[0]!;
    const { granule = 1 } = file;
    const findings: string[] = [];
    file.free(0, granule);
    askForAll(first.files.at(-1)!);
    const page = granule;
    const { pfn, order } = file.getLockPfn(page);
    file.getLockPfn(page);
    const counted = subject.capabilities?.counted !== false;
    const pinned = counted ? Math.max(2 ** order, granule) : 0;
    let last = first;
    const again = (references: number): void => {
      for (const file of last.files) file.free(0, pages);
      last = fill(subject);
      const { size } = last.frames;
      if (counted && references > 0 && last.frames.has(pfn)) {
        const out = `${references} references to it are out`;
        findings.push(`frame ${pfn} is handed out again while ${out}`);
      }
      if (size < total - (references > 0 ? pinned : 0)) {
        findings.push(`${size} pages of ${total} can be had again: frames leak`);
      }
    };
    again(2);
    file.putUnlockPfn(pfn);
    again(1);
    file.putUnlockPfn(pfn);
    again(0);
    return findings;
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
