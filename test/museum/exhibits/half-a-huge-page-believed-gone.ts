import type { BackingStore, MemoryFile, NotifierEvent } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { PageSet } from '../../model/page-set.js';
import { exhibit } from '../exhibit.js';

type Gone = (known: PageSet, start: number, end: number, event: NotifierEvent) => void;

/** Pages of two, as hugetlb: half of one is zeroed and stays. */
function pairs(): BackingStore {
  const inner = shmem();
  return {
    name: 'pairs',
    createFile: (spec) => {
      const pages = inner.createFile(spec);
      return {
        granule: 2,
        allocate: (start, end) => pages.allocate(start, end),
        getLockPfn: (page) => pages.getLockPfn(page),
        putUnlockPfn: (pfn) => pages.putUnlockPfn(pfn),
        free: (start, end) => {
          const whole = { start: Math.ceil(start / 2) * 2, end: Math.floor(end / 2) * 2 };
          if (whole.start >= whole.end) return [];
          pages.free(whole.start, whole.end);
          return [whole];
        },
      };
    },
  };
}

export default exhibit<Gone, { readonly file: MemoryFile; readonly known: PageSet }>({
  law: 4,
  says: 'a consumer believes that half of a huge page has left',
  source: 'fs/hugetlbfs/inode.c: a punch smaller than a page frees nothing, and succeeds',
  history: [
    'hugetlb zeroes what of a huge page is punched, and keeps the page; the punch succeeds.',
    'Who trusts the range that was punched counts memory as free that is not.',
    'Here the end of an invalidation says which pages stayed.',
  ],
  faulty: (known, start, end) => known.remove(start, end),
  ours: (known, start, end, { kept = [] }) => {
    const stayed = kept.flatMap((range) => known.within(range.start, range.end));
    known.remove(start, end);
    for (const range of stayed) known.add(range.start, range.end);
  },
  setUp: async (stage, gone) => {
    const file = stage.file('ram', 4, pairs());
    await file.fallocate(0, 4);
    const known = new PageSet();
    known.add(0, 4);
    await file.register({ invalidateEnd: (start, end, event) => gone(known, start, end, event) });
    return { file, known };
  },
  threads: { owner: { 'punch [1, 4)': ({ file }) => file.punchHole(1, 4) } },
  seen: ({ file, known }) => file.populated(1, 2).length > 0 && !known.has(1),
});
