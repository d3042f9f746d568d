import { describe, expect, it } from 'vitest';
import { createMemfile, type StoreFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { overriding } from '../kit/overriding.js';
import { overridingFile } from '../kit/stores/overriding-file.js';

/** What is wrong with the answer of a store that has locked a frame. */
type Wrong = (file: StoreFile) => Partial<StoreFile>;

const WRONG: Readonly<Record<string, Wrong>> = {
  'another frame': (file) => ({ getLockPfn: () => file.getLockPfn(1) }),
  'no order': (file) => ({ getLockPfn: (page) => ({ ...file.getLockPfn(page), order: -1 }) }),
  'a generation that throws': () => ({
    get generation(): never {
      throw new Error('no generation');
    },
  }),
};

describe('a lookup that is refused once its frame is locked', () => {
  it.each(Object.entries(WRONG))('puts it: %s', async (_, wrong) => {
    let locked = 0;
    const pages = shmem();
    const counted = overriding(pages, {
      createFile(spec) {
        const store = pages.createFile(spec);
        const counting = overridingFile(store, {
          getLockPfn(page) {
            const answer = store.getLockPfn(page);
            locked++;
            return answer;
          },
          putUnlockPfn(pfn) {
            store.putUnlockPfn(pfn);
            locked--;
          },
        });
        return overriding(counting, wrong(counting));
      },
    });
    const memfile = createMemfile({ plugins: [counted] });
    const file = memfile.createFile('shmem', { size: 4 });
    const registration = await file.register({});
    await file.fallocate(0, 2);
    expect(() => registration.lookup(0)).toThrow('EIO');
    expect(locked).toBe(0);
    expect(memfile.state.registrations.get(registration.id)!.leases.size).toBe(0);
  });

  it('says so when the store does not know of it', async () => {
    const pages = shmem();
    const lying = overriding(pages, {
      createFile(spec) {
        const store = pages.createFile(spec);
        return overridingFile(store, { getLockPfn: () => ({ pfn: 3, order: 0 }) });
      },
    });
    const file = createMemfile({ plugins: [lying] }).createFile('shmem', { size: 4 });
    const registration = await file.register({});
    await file.fallocate(0, 2);
    expect(() => registration.lookup(0)).toThrow(/EIO.*frame 3 for page 0.*nor can frame 3 be put/);
  });
});
