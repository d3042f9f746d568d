import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BackingStore, StoreCapabilities, StoreFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { describeBackingStore, hostileStore, type StoreHostility } from '../kit/index.js';
import { overriding } from '../kit/overriding.js';
import { collect, expectFound } from './collect.js';

type Change = (inner: StoreFile) => Partial<StoreFile>;

const changed =
  (change: Change, inner: () => BackingStore = shmem) =>
  (): BackingStore => {
    const store = inner();
    return overriding(store, {
      createFile(spec) {
        const file = store.createFile(spec);
        return overriding(file, change(file));
      },
    });
  };

/** Forgets references at once. */
const uncounted: Change = (inner) => ({
  getLockPfn(offset) {
    const answer = inner.getLockPfn(offset);
    inner.putUnlockPfn(answer.pfn);
    return answer;
  },
  putUnlockPfn() {},
});

const declaring =
  (capabilities: StoreCapabilities, make: () => BackingStore): (() => BackingStore) =>
  () =>
    overriding(make(), { capabilities });

const hostile = (hostility: StoreHostility) => () => hostileStore(shmem(), hostility);

/** What is wrong, the law that it breaks, and what the message says of it. */
const FAULTY: readonly (readonly [string, () => BackingStore, law: string, says: RegExp])[] = [
  [
    'short allocations',
    hostile('short allocations'),
    'law 11: errors',
    /allocate \[\d+, \d+\) leaves page \d+ out and gives no error/,
  ],
  [
    'wrong pfn',
    hostile('wrong pfn'),
    'law 10: the journal is the truth',
    /page \d+ was given frame \d+, but getLockPfn answers frame \d+/,
  ],
  [
    'lies about order',
    hostile('lies about order'),
    'law 7: ranges',
    /answers frame \d+, order 1, but/,
  ],
  [
    'forgets to free',
    hostile('forgets to free'),
    'law 4: gone means gone',
    /page \d+ left the file, but the store gives it no frame again: free did not drop it/,
  ],
  [
    'never announces',
    hostile('never announces'),
    'law 4: gone means gone',
    /frame \d+ is handed out for page \d+ of file \d while it is page \d+ of file \d/,
  ],
  [
    'forgets to free what it takes away itself',
    () =>
      overriding<BackingStore>(hostileStore(shmem(), 'forgets to free'), {
        capabilities: { movement: 'revocable', fallocate: false, punchHole: false },
      }),
    'law 4: gone means gone',
    /page \d+ left the file, but the store gives it no frame again/,
  ],
  [
    'plans what does not come true',
    changed(
      () => ({ plan: () => undefined }),
      () => shmem({ quota: 3 }),
    ),
    'law 11: errors',
    /plan says that all goes well, it became MemfileError: ENOSPC/,
  ],
  [
    'reuses frames that are leased',
    changed(uncounted),
    'law 9: pins balance',
    /is handed out for page \d+ of file \d while 1 references to it are out/,
  ],
  [
    'does not count frames, and gives those that are leased to other pages',
    declaring(
      { counted: false },
      changed((inner) => {
        let generation = 0;
        return {
          ...uncounted(inner),
          get generation() {
            return generation++;
          },
        };
      }),
    ),
    'law 9: pins balance',
    /is handed out for page \d+ of file \d while 1 references to it are out/,
  ],
  [
    'does not count frames, and has no generation',
    declaring({ counted: false }, shmem),
    'law 9: pins balance',
    /pages of file \d left, and its generation is undefined as before/,
  ],
  [
    'loses frames that were leased when their page left',
    changed(
      () => ({ putUnlockPfn() {} }),
      () => shmem({ quota: 24 }),
    ),
    'law 9: pins balance',
    /23 pages of 24 can be had again: frames leak/,
  ],
  [
    'counts one reference for two lookups',
    changed(
      (inner) => {
        const taken = new Set<number>();
        return {
          getLockPfn(offset) {
            const answer = inner.getLockPfn(offset);
            if (taken.has(answer.pfn)) inner.putUnlockPfn(answer.pfn);
            taken.add(answer.pfn);
            return answer;
          },
          putUnlockPfn(pfn) {
            if (taken.delete(pfn)) inner.putUnlockPfn(pfn);
          },
        };
      },
      () => shmem({ quota: 24 }),
    ),
    'law 9: pins balance, a full',
    /frame \d+ is handed out again while 1 references to it are out/,
  ],
  [
    'loses frames when it has too few',
    changed(
      (inner) => ({
        allocate(start, end) {
          try {
            return inner.allocate(start, end);
          } catch (error) {
            if (end - start > 1) inner.allocate(2 ** 40, 2 ** 40 + 1);
            throw error;
          }
        },
      }),
      () => shmem({ quota: 24 }),
    ),
    'law 9: pins balance, a full',
    /23 pages of 24 can be had again: frames leak/,
  ],
  [
    'keeps what was refused',
    changed((inner) => ({
      free: (start, end, why) => (why === 'undo' ? undefined : inner.free(start, end, why)),
    })),
    'law 4: gone means gone',
    /page \d+ left the file, but the store gives it no frame again: free did not drop it/,
  ],
  [
    'shows what another page held',
    changed((inner) => ({ bytes: () => inner.bytes!(1, 0) })),
    'law 4: gone means gone',
    /shows what page \d+ of file \d (held|holds)/,
  ],
  [
    'adds pages that it was not asked for',
    changed((inner) => ({ allocate: (start, end) => inner.allocate(start, end + 1) })),
    'law 7: ranges',
    /which are not sorted, disjoint and inside what was asked for/,
  ],
  [
    'fails in words of its own',
    changed(() => ({
      allocate() {
        throw new TypeError('no such thing');
      },
    })),
    'law 11: errors',
    /allocate \[\d+, \d+\) threw TypeError: no such thing/,
  ],
  [
    'refuses to free',
    changed(() => ({
      free() {
        throw new Error('not now');
      },
    })),
    'law 4: gone means gone',
    /free \[\d+, \w+\), which cannot be refused, threw Error: not now/,
  ],
  [
    'has no frame for a page that is there',
    changed(() => ({
      getLockPfn() {
        throw new Error('who knows');
      },
    })),
    'law 10: the journal is the truth',
    /getLockPfn of page \d+, which is there, threw Error: who knows/,
  ],
  [
    'says that pages left which it was not asked for',
    changed((inner) => ({
      free(start, end) {
        inner.free(start, end);
        return [{ start, end: end + 1 }];
      },
    })),
    'law 4: gone means gone',
    /free \[\d+, \d+\) answers that \[\d+, \d+\) left, which it was not asked for/,
  ],
  [
    'forgets at a restart',
    changed(() => ({ attach() {} })),
    'law 10: the journal is the truth',
    /has frame \d+, but getLockPfn threw|is handed out for page/,
  ],
  [
    'never has frames again that were leased at a restart',
    changed(
      (inner) => ({
        attach(host, state) {
          const leased = state.leased.map(({ pfn }) => ({ start: 0, end: 1, pfn }));
          inner.attach!(host, { ...state, quarantined: [...state.quarantined, ...leased] });
        },
      }),
      () => shmem({ quota: 24 }),
    ),
    'law 10: the journal is the truth',
    /the leases were put and the pages freed: \d+ pages of 24 cannot be had again, and 1 are in/,
  ],
  [
    'uses frames again that were leaked and leased at a restart',
    changed(
      (inner) => ({
        attach(host, state) {
          const kept = state.quarantined.filter(
            ({ pfn }) => !state.leased.some((lease) => lease.pfn === pfn),
          );
          inner.attach!(host, { ...state, quarantined: kept });
        },
      }),
      () => shmem({ quota: 24 }),
    ),
    'law 10: the journal is the truth',
    /the leases were put and the pages freed: \d+ pages of 24 cannot be had again, and \d+ are in/,
  ],
  [
    'knows its pages after a restart, and hands their frames out again',
    changed((inner) => {
      const known = new Map<number, number>();
      return {
        attach: (_, { frames }) => {
          for (const { start, end, pfn } of frames) {
            for (let page = start; page < end; page++) known.set(page, pfn + (page - start));
          }
        },
        getLockPfn: (offset) => {
          const pfn = known.get(offset);
          return pfn === undefined ? inner.getLockPfn(offset) : { pfn, order: 0 };
        },
        putUnlockPfn() {},
      };
    }),
    'law 10: the journal is the truth',
    /frame \d+ is handed out for page \d+ of file \d: it is in use as page \d+ of file \d/,
  ],
];

afterEach(() => vi.unstubAllEnvs());

describe('describeBackingStore', () => {
  it.each(FAULTY)('finds the store: %s', (_, factory, law, says) =>
    expectFound((name, options) => describeBackingStore(name, factory, options), law, says),
  );

  it('finds the same again with the seed and runs of the message', async () => {
    const message = async (): Promise<string> => {
      const { test, run } = collect();
      describeBackingStore('a store', hostile('forgets to free'), { test, command: () => '' });
      const [[, error]] = [...(await run('law 4'))] as [[string, Error]];
      return error.message;
    };
    vi.stubEnv('MEMFILE_SEED', '99');
    const first = await message();
    const [, seed, runs] = first.match(/MEMFILE_SEED=(\d+) MEMFILE_RUNS=(\d+)/)!;
    vi.stubEnv('MEMFILE_SEED', seed);
    vi.stubEnv('MEMFILE_RUNS', runs);
    expect(await message()).toBe(first.replace(/of 100\)/, `of ${runs})`));
  });
});
