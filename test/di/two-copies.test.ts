import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as copy from '../../core/copy.js';
import { checkSameCopy, refuseAbstract } from '../../core/same-copy.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const place = join(root, 'dist', '.copies');

describe('an object tells which copy of the package made it', () => {
  const again = '../../core/copy.ts?again';
  let second: typeof copy;

  beforeAll(async () => {
    second = (await import(/* @vite-ignore */ again)) as typeof copy;
  });

  it('and is taken by that copy alone', () => {
    class Journal {
      readonly position = 0;
    }
    second.brand(Journal);
    expect(second.COPY).not.toBe(copy.COPY);
    expect(second.otherCopyOf(new Journal())).toBeUndefined();
    expect(copy.otherCopyOf(new Journal())).toBe(second.COPY);
    const check = (): void => checkSameCopy('createMemfile', 'the journal', new Journal());
    expect(check).toThrow(/EINVAL.*createMemfile: the journal comes from another copy of memfile/);
    expect(check).toThrow(copy.COPY.url);
    expect(check).toThrow(`${second.COPY.version} at ${second.COPY.url}`);
  });

  it('also when it is a plain object; nothing is refused that is nobody’s', () => {
    const store = second.brand({ name: 'shmem' });
    const check = (): void => checkSameCopy('createMemfile', 'store "shmem"', store);
    expect(check).toThrow(/another copy/);
    for (const value of [undefined, null, 1, {}, () => {}, new Map(), { name: 'shmem' }]) {
      checkSameCopy('createMemfile', 'it', value);
    }
    checkSameCopy('createMemfile', 'store "shmem"', copy.brand({ name: 'shmem' }));
    expect(Object.keys(store)).toEqual(['name']);
    const renamed = { ...store, name: 'other' };
    expect(() => checkSameCopy('createMemfile', 'a store', renamed)).toThrow(/another copy/);
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    expect(copy.COPY.version).toBe(version);
  });

  it('an abstract class that serves as a token is not made by accident', () => {
    abstract class Journal {
      abstract readonly position: number;

      constructor() {
        refuseAbstract(Journal, new.target);
      }
    }
    class MemoryJournal extends Journal {
      readonly position = 0;
    }
    expect(new MemoryJournal()).toBeInstanceOf(Journal);
    const make = Journal as unknown as new () => Journal;
    expect(() => new make()).toThrow(/EINVAL.*no Journal is registered in this container/);
  });
});

/** Runs once the core has copy.ts: of the compiled package, twice in one process. */
describe.skipIf(!existsSync(join(root, 'core', 'copy.ts')))('two copies in one process', () => {
  const lines: string[] = [];

  beforeAll(() => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(join(place, 'second'), { recursive: true });
    for (const part of ['core', 'plugins']) {
      cpSync(join(root, 'dist', part), join(place, 'second', part), { recursive: true });
    }
    writeFileSync(
      join(place, 'main.mjs'),
      `
        import * as one from '../core/index.js';
        import * as two from './second/core/index.js';
        import { shmem } from '../plugins/shmem/index.js';
        import { shmem as otherShmem } from './second/plugins/shmem/index.js';
        const attempt = (what, call) => {
          try { call(); console.log(what + ': fine'); }
          catch (error) { console.log(what + ': ' + error.message); }
        };
        const memfile = one.createMemfile({ plugins: [shmem()] });
        attempt('both', () => two.createMemfile({ plugins: [otherShmem()] }));
        attempt('journal', () =>
          one.createMemfile({ plugins: [], journal: new two.MemoryJournal() }));
        attempt('clock', () => one.createMemfile({ plugins: [], clock: new two.SystemClock() }));
        attempt('store', () => one.createMemfile({ plugins: [otherShmem()] }));
        for (const token of ['Journal', 'Clock', 'Scheduler']) {
          attempt(token, () => memfile.container.resolve(two[token]));
        }
        const foreign = { name: 'foreign', createFile() {
          throw new two.MemfileError('ENOSPC', 'createFile', 'full');
        } };
        const error = one.createMemfile({ plugins: [foreign] });
        attempt('error', () => error.createFile('foreign', { size: 1 }));
      `,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [join(place, 'main.mjs')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    lines.push(...stdout.trimEnd().split('\n'));
  }, 60_000);

  afterAll(() => rmSync(place, { recursive: true, force: true }));

  const line = (what: string): string => lines.find((text) => text.startsWith(`${what}: `)) ?? '';

  it('do not disturb each other', () => {
    expect(line('both')).toBe('both: fine');
  });

  it.each(['journal', 'clock', 'store', 'error'])(
    'a %s of the other is refused, by name',
    (what) => {
      expect(line(what)).toMatch(/another copy of memfile/);
      expect(line(what)).toContain(pathToFileURL(join(place, 'second', 'core')).href);
      expect(line(what)).toContain(pathToFileURL(join(root, 'dist', 'core')).href);
    },
  );

  it.each(['Journal', 'Clock', 'Scheduler'])('a container does not make an empty %s', (token) => {
    expect(line(token)).toMatch(new RegExp(`no ${token} is registered in this container`));
    expect(line(token)).toContain(pathToFileURL(join(place, 'second', 'core')).href);
  });
});
