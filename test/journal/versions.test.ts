import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import {
  createMemfile,
  EVENT_HISTORY,
  EventHistory,
  evolve,
  EVOLVE_VERSION,
  MemfileState,
  replay,
  restoreState,
  saveState,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { fixture } from '../cli/memfile.js';
import { JournalModel } from '../model/index.js';
import { temporaryFiles } from './files.js';

const path = temporaryFiles();
const folder = fixture('journals');
/** Journals that earlier versions wrote, each with the state that it ends in, as JSON. */
const journals = readdirSync(folder).filter((name) => name.endsWith('.memfile'));

describe('journals of every version', () => {
  it.each(journals)('%s opens, is what it was, and is gone on with', async (name) => {
    const copy = path(name);
    copyFileSync(`${folder}/${name}`, copy);
    const reader = SqliteJournal.read(copy);
    expect(reader.findDamage()).toBeUndefined();
    const model = new JournalModel();
    const state = new MemfileState();
    for (const event of reader.read(1)) {
      model.see(event);
      evolve(state, event);
      const checkpoint = reader.checkpoint(state.position, EVOLVE_VERSION);
      // When this fails, `evolve` does something else than it did: raise EVOLVE_VERSION.
      if (checkpoint?.position === state.position) {
        expect(restoreState(checkpoint.state)).toEqual(state);
      }
    }
    expect(model.violations).toEqual([]);
    const expected: unknown = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'));
    expect(JSON.parse(JSON.stringify(state))).toEqual(expected);
    expect(replay(reader).toJSON()).toEqual(state.toJSON());
    await reader.close();
    const journal = SqliteJournal.open(copy);
    const memfile = createMemfile({ plugins: [shmem()], journal });
    for (const file of memfile.files) await file.fallocate(0, 4, { keepSize: true });
    await memfile[Symbol.asyncDispose]();
  });

  it('are there', () => expect(journals.length).toBeGreaterThan(0));

  it('have had one shape of every type of event so far', () => {
    for (const { version } of Object.values(EVENT_HISTORY)) expect(version).toBe(1);
  });
});

describe('EventHistory', () => {
  interface First {
    readonly type: 'resize';
    readonly bytes: number;
  }
  interface Second {
    readonly type: 'resize';
    readonly pages: number;
  }
  interface Third extends Second {
    readonly reason: string;
  }
  const history = EventHistory.first<First>()
    .next(({ type, bytes }): Second => ({ type, pages: bytes / 4096 }))
    .next((event): Third => ({ ...event, reason: 'truncate' }));

  it('makes the shape of today of every earlier one', () => {
    const today = { type: 'resize', pages: 2, reason: 'truncate' };
    expect(history.version).toBe(3);
    expect(history.upcast({ type: 'resize', bytes: 8192 }, 1)).toEqual(today);
    expect(history.upcast({ type: 'resize', pages: 2 }, 2)).toEqual(today);
    expect(history.upcast(today, 3)).toBe(today);
  });
});

describe('a saved state', () => {
  it('is small for a file that is full', () => {
    const state = new MemfileState();
    const where = { file: 1, operation: 1, reason: 'fallocate' } as const;
    const kind = { name: 'ram', store: 'shmem', flags: [], seals: [], options: {} };
    evolve(state, { type: 'createFile', file: 1, pages: 2 ** 28, ...kind });
    evolve(state, { type: 'fallocate', ...where, start: 0, end: 2 ** 28, pfn: 1 });
    expect(saveState(state).length).toBeLessThan(1000);
    expect(restoreState(saveState(state))).toEqual(state);
  });
});
