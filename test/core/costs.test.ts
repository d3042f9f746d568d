import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createMemfile, Extents, MAX_PAGES } from '../../core/index.js';
import { RangeIndex, type Ranged } from '../../core/range-index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { built } from './built.js';
import { numbers } from './numbers.js';

/** What things cost in steps and bytes, which is the same on every machine. */

describe('a query by range', () => {
  it.each([
    [1000, 0],
    [100_000, 0],
    [100_000, 100],
  ])('of %i, %i of them of the whole, looks at what grows with the answer', (count, whole) => {
    const random = numbers(count + whole);
    const pages = count * 16;
    const index = new RangeIndex<Ranged>();
    for (let order = 1; order <= count; order++) {
      const start = order <= whole ? 0 : random(pages);
      const end = order <= whole ? pages : start + 1 + random(126);
      index.add({ start, end, order });
    }
    let visits = 0;
    let hits = 0;
    const queries = 1000;
    for (let i = 0; i < queries; i++) {
      const found: object[] = [];
      const page = random(pages);
      visits += index.collect(page, page + 1, found as never);
      hits += found.length;
    }
    expect(hits / queries).toBeGreaterThan(3 + whole);
    expect(hits / queries).toBeLessThan(6 + whole);
    // Few levels, a node or two on each, and a way to each answer.
    expect(visits / queries).toBeLessThan(4 * Math.log2(count) + 4 * (hits / queries));
  });
});

describe('an index by range', () => {
  it('looks no further than what is left in it reaches', () => {
    const index = new RangeIndex<Ranged>();
    const long = Array.from({ length: 1000 }, (_, i) => ({ start: i, end: 1e6, order: 2 * i }));
    for (const { start, end, order } of long) {
      index.add({ start, end: start + 1, order: order + 1 });
      index.add({ start, end, order });
    }
    const visits = (): number => index.collect(5e5, 5e5 + 1, []);
    expect(visits()).toBeGreaterThan(30);
    for (const item of long) index.delete(item);
    expect(visits()).toBe(1);
  });
});

/** What a program prints that has `used()`, the bytes in use, and runs without any of this. */
function inBytes(program: string): Record<string, number> {
  const prologue = `
    const used = () => {
      gc();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };`;
  // What is dropped is gone when gc() returns, not when another thread comes to it.
  const flags = ['--expose-gc', '--single-threaded-gc', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '-e', prologue + program]);
  return JSON.parse(output.toString()) as Record<string, number>;
}

describe('what has been large', () => {
  it('gives its memory back: an index by range', () => {
    const { large, left, size } = inBytes(`
      const { RangeIndex } = await import(${built('core/range-index.js')});
      const index = new RangeIndex();
      const ranges = (from, to, deal) => {
        for (let i = from; i < to; i++) deal.call(index, { start: i, end: i + 1, order: i });
      };
      ranges(0, 10, index.add);
      const before = used();
      ranges(10, 50_000, index.add);
      const large = used() - before;
      ranges(10, 50_000, index.delete);
      console.log(JSON.stringify({ large, left: used() - before, size: index.size }));
    `);
    expect(size).toBe(10);
    expect(large).toBeGreaterThan(2_000_000);
    expect(left).toBeLessThan(large! / 10);
  });

  it('gives its memory back: pages that were changed one by one', () => {
    const { large, left, pages } = inBytes(`
      const { Extents } = await import(${built('core/extents.js')});
      const extents = new Extents();
      const all = (deal) => {
        for (let i = 0; i < 2 ** 20; i++) deal((i * 617) % 2 ** 20);
      };
      extents.add(5, 6);
      const before = used();
      all((page) => extents.set(page, page + 1, page ^ 1));
      const large = used() - before;
      all((page) => extents.delete(page, page + 1));
      console.log(JSON.stringify({ large, left: used() - before, pages: extents.pages }));
    `);
    expect(pages).toBe(0);
    expect(large).toBeGreaterThan(4_000_000);
    expect(left).toBeLessThan(large! / 10);
  });
});

describe('telling', () => {
  it('reads what a consumer does when it registers, however many events there are', async () => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 4 });
    let asked = 0;
    let told = 0;
    for (let i = 1; i <= 100; i++) {
      const notifier = {
        get invalidate() {
          asked++;
          return i % 10 === 0 ? () => void told++ : undefined;
        },
      };
      await file.register(notifier, i % 2 === 0 ? {} : { range: { start: 0, end: 4 } });
    }
    const askedAtFirst = asked;
    for (let event = 0; event < 50; event++) await file.punchHole(1, 2);
    expect(told).toBe(500);
    expect(asked).toBe(askedAtFirst);
  });

  it('looks at nobody whose range the event does not touch', async () => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 4000 });
    const told: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const range = { start: i * 4, end: i * 4 + 4 };
      await file.register({ invalidate: () => void told.push(i) }, { range });
    }
    const { notifiers } = { notifiers: file.consumers() };
    expect(notifiers).toHaveLength(1000);
    await file.punchHole(2000, 2006);
    expect(told).toEqual([501, 500]);
  });
});

describe('an operation', () => {
  it('allocates no more than so many bytes', () => {
    const program = `
      const { createMemfile } = await import(${built('core/index.js')});
      const { shmem } = await import(${built('plugins/shmem/index.js')});
      const file = createMemfile({ plugins: [shmem()] }).createFile('shmem', { size: 64 });
      for (let i = 0; i < 16; i++) {
        const told = { fallocate() {}, invalidate() {}, invalidateEnd() {} };
        await file.register(told, { range: { start: i * 4, end: i * 4 + 8 } });
      }
      const run = (pairs) => {
        for (let i = 0; i < pairs; i++) {
          void file.fallocate(5, 6);
          void file.punchHole(5, 6);
        }
      };
      run(1000);
      gc();
      const before = process.memoryUsage().heapUsed;
      run(1000);
      console.log((process.memoryUsage().heapUsed - before) / 2000);
    `;
    // Nothing is collected in between, and nothing is optimised away: what a compiler spares one
    // day it may not the next.
    const flags = ['--expose-gc', '--jitless', '--max-semi-space-size=64'];
    const args = [...flags, '--min-semi-space-size=64', '--input-type=module', '-e', program];
    const bytes = Number(execFileSync(process.execPath, args).toString());
    expect(bytes).toBeGreaterThan(100);
    expect(bytes).toBeLessThan(BYTES_PER_OPERATION);
  });
});

describe('pages far apart', () => {
  it('take no more than so many bytes each, with all that their store keeps', () => {
    const { bytes } = inBytes(`
      const { createMemfile } = await import(${built('core/index.js')});
      const { shmem } = await import(${built('plugins/shmem/index.js')});
      const memfile = createMemfile({ plugins: [shmem()] });
      const file = memfile.createFile('shmem', { size: 2 ** 28 });
      const run = (pages) => {
        for (let i = 0, page = 1; i < pages; i++) {
          page = (Math.imul(page, 1664525) + 1013904223) >>> 0;
          void file.fallocate(page >>> 4, (page >>> 4) + 1);
        }
      };
      run(1000);
      const before = used();
      run(200_000);
      const rows = memfile.state.position * 32;
      console.log(JSON.stringify({ bytes: (used() - before - rows) / 200_000 }));
    `);
    expect(bytes).toBeGreaterThan(20);
    expect(bytes).toBeLessThan(BYTES_PER_SPARSE_PAGE);
  });

  it('and all pages of the largest file are one run', () => {
    const pages = new Extents();
    pages.add(0, MAX_PAGES);
    expect(pages.first()).toEqual({ start: 0, end: MAX_PAGES, value: 0 });
    pages.delete(2 ** 40, 2 ** 40 + 1);
    expect(pages.last()).toEqual({ start: 2 ** 40 + 1, end: MAX_PAGES, value: 2 ** 40 + 1 });
    expect(pages.pages).toBe(MAX_PAGES - 1);
  });
});

describe('pages that arrive together', () => {
  it('lie in few runs, also in a file where much has come and gone', async () => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 2 ** 16 });
    const random = numbers(3);
    const range = (): [number, number] => {
      const start = random(2 ** 16 - 512);
      return [start, start + 1 + random(512)];
    };
    let runs = 0;
    const operations = 5000;
    for (let i = 0; i < operations; i++) {
      const before = memfile.state.position;
      await file.fallocate(...range());
      runs += memfile.state.position - before;
      await file.punchHole(...range());
    }
    // As many as there are holes in the range, and hardly more.
    expect(runs / operations).toBeGreaterThan(0.5);
    expect(runs / operations).toBeLessThan(2);
  });
});

/** Measured, interpreted: 677, where numbers that a compiler keeps in registers are objects. */
const BYTES_PER_OPERATION = 800;
/** Measured: 24 to 26, of which a run takes 12 and what its leaf has to spare the most of the rest. */
const BYTES_PER_SPARSE_PAGE = 32;
