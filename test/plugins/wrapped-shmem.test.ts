import { describe, expect, it } from 'vitest';
import { createMemfile, type BackingStore, type StoreFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

type Wrap = (inner: StoreFile) => Partial<StoreFile>;

/** A store of somebody else's that has its pages of `shmem`. */
function wrapped(wrap: Wrap): BackingStore {
  const store = shmem();
  return {
    name: 'wrapped',
    createFile(spec) {
      const inner = store.createFile(spec);
      return {
        attach: (host, state) => inner.attach?.(host, state),
        allocate: (start, end) => inner.allocate(start, end),
        free: (start, end, why) => inner.free(start, end, why),
        getLockPfn: (offset) => inner.getLockPfn(offset),
        putUnlockPfn: (pfn) => inner.putUnlockPfn(pfn),
        ...wrap(inner),
      };
    },
  };
}

/** Punches and fills a file again and again; answers the frames of its pages. */
async function frames(wrap: Wrap): Promise<number[]> {
  await using memfile = createMemfile({ plugins: [wrapped(wrap)] });
  const file = memfile.createFile('wrapped', { size: 2000 });
  await file.fallocate(1000, 1008);
  await file.punchHole(1000, 1004);
  for (let page = 0; page < 32; page += 4) await file.fallocate(page, page + 4);
  const { frames } = memfile.state.files.get(file.id)!;
  return frames.runs().flatMap(({ start, end, value }) => {
    return Array.from({ length: end - start }, (_, i) => value + i);
  });
}

describe('shmem in a store of somebody else', () => {
  it.each<[string, Wrap]>([
    [
      'frees twice',
      (inner) => ({ free: (...pages) => (inner.free(...pages), inner.free(...pages)) }),
    ],
    [
      'frees parts that overlap',
      (inner) => ({
        free(start, end, why) {
          inner.free(start, end - 1, why);
          inner.free(start + 1, end, why);
        },
      }),
    ],
    [
      'has other page numbers',
      (inner) => ({
        allocate(start, end) {
          const { runs } = inner.allocate(start + 1000, end + 1000);
          return {
            runs: runs.map(({ start, end, pfn }) => ({
              start: start - 1000,
              end: end - 1000,
              pfn,
            })),
          };
        },
        free: (start, end, why) => inner.free(start + 1000, end + 1000, why),
        getLockPfn: (offset) => inner.getLockPfn(offset + 1000),
      }),
    ],
    [
      'looks pages up as it allocates them',
      (inner) => ({
        allocate(start, end) {
          const allocation = inner.allocate(start, end);
          for (let page = start; page < end; page++) {
            inner.putUnlockPfn(inner.getLockPfn(page).pfn);
          }
          return allocation;
        },
      }),
    ],
  ])('that %s gives every page a frame of its own', async (_, wrap) => {
    const given = await frames(wrap);
    expect(given).toHaveLength(36);
    expect(new Set(given).size).toBe(given.length);
  });
});
