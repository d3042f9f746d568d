import { describe, expect, it } from 'vitest';
import type { BackingStore } from '../../core/index.js';
import { keepExemplar } from '../../core/exemplar.js';
import { shmem } from '../../plugins/shmem/index.js';
import { collected } from './collected.js';
import { overriding } from '../kit/overriding.js';

/** A store, and what becomes of its files. */
function watched(): { store: BackingStore; files: WeakRef<object>[] } {
  const files: WeakRef<object>[] = [];
  const inner = shmem();
  const store = overriding<BackingStore>(inner, {
    createFile(spec) {
      const file = inner.createFile(spec);
      files.push(new WeakRef(file));
      return file;
    },
  });
  return { store, files };
}

describe('an exemplar', () => {
  it('stays, one for each kind of store, when all other files are gone', async () => {
    const [first, second, other] = [watched(), watched(), watched()];
    keepExemplar('watched', () => first.store);
    keepExemplar('watched', () => second.store);
    other.store.createFile({ id: 1, name: 'other', pages: 4, flags: [], options: {} });
    await collected();
    const isThere = ({ files }: typeof first): boolean[] =>
      files.map((file) => file.deref() !== undefined);
    expect([first, second, other].map(isThere)).toEqual([[true], [], [false]]);
  });
});
