import {
  MemfileError,
  type BackingStore,
  type PageRange,
  type PfnRun,
  type StoreFile,
} from '../../core/index.js';

/** A store of which pages come and go in blocks of 4, as huge pages do; with an end. */
export function blockStore(blocks = 16): BackingStore<'blocks'> {
  const free = Array.from({ length: blocks }, (_, i) => (i + 1) * 4);
  const references = new Map<number, number>();
  const orphans = new Set<number>();
  const release = (frame: number): void => {
    if (references.has(frame)) orphans.add(frame);
    else free.push(frame);
  };
  const createFile = ({ pages }: { readonly pages: number }): StoreFile => {
    const frames = new Map<number, number>();
    if (pages % 4 !== 0)
      throw new MemfileError('EINVAL', 'createFile', `${pages} is no multiple of 4`);
    return {
      granule: 4,
      allocate(start, end) {
        const runs: PfnRun[] = [];
        for (let page = start - (start % 4); page < end; page += 4) {
          if (frames.has(page)) continue;
          const pfn = free.pop();
          if (pfn === undefined) {
            const error = new MemfileError('ENOSPC', 'fallocate', 'no block is left');
            if (runs.length === 0) throw error;
            return { runs, error };
          }
          frames.set(page, pfn);
          runs.push({ start: page, end: page + 4, pfn });
        }
        return { runs };
      },
      free(start, end): PageRange[] {
        const left: PageRange[] = [];
        for (const [page, frame] of frames) {
          if (page < start || page + 4 > end) continue;
          frames.delete(page);
          release(frame);
          left.push({ start: page, end: page + 4 });
        }
        return left;
      },
      getLockPfn(offset) {
        const frame = frames.get(offset - (offset % 4))!;
        references.set(frame, (references.get(frame) ?? 0) + 1);
        return { pfn: frame + (offset % 4), order: 2 };
      },
      putUnlockPfn(pfn) {
        const frame = pfn - (pfn % 4);
        const count = references.get(frame)! - 1;
        if (count > 0) references.set(frame, count);
        else references.delete(frame);
        if (count === 0 && orphans.delete(frame)) free.push(frame);
      },
    };
  };
  return { name: 'blocks', createFile };
}
