/** A file of 2^28 pages (1 TiB): time and memory of what its pages may look like. */
import { createRequire } from 'node:module';
import BTreeModule from 'sorted-btree';
import { lcg } from '../harness.js';
import { newFile } from '../memfile.js';

const BTree = BTreeModule.default ?? BTreeModule;
const { RoaringBitmap32, roaringLibraryInitialize } = createRequire(import.meta.url)(
  'roaring-wasm',
);

export default async function pages(suite) {
  await roaringLibraryInitialize?.();
  const candidates = {
    memfile: MemfilePages,
    'sorted-btree': TreePages,
    'roaring-wasm': RoaringPages,
  };
  // The first time counts for nothing: an engine compiles what is called often.
  for (const note of [() => {}, suite.note.bind(suite)]) {
    for (const [name, Pages] of Object.entries(candidates)) {
      await sparse(note, name, Pages, 2 ** 16, 60_000, 'file of 2^16, 60,000 sparse pages');
      await sparse(note, name, Pages, 2 ** 28, 1e6, 'file of 2^28, 1,000,000 sparse pages');
      await punched(note, name, Pages);
    }
    // A Map holds at most 2^24 entries: a file of 2^28 pages does not fit at all.
    const what = 'file of 2^28, 1,000,000 sparse pages';
    await sparse(note, 'Map per page', MapPages, 2 ** 28, 1e6, what);
  }
}

async function sparse(note, name, Pages, size, count, what) {
  const random = lcg(5);
  const where = Uint32Array.from({ length: count }, () => random(size - 1));
  const before = memory();
  const made = await Pages.of(size);
  const start = process.hrtime.bigint();
  for (const page of where) made.fill(page, page + 1);
  note(`${what}, ns each`, name, Number(process.hrtime.bigint() - start) / count);
  note(`${what}, MB`, name, (memory() - before - made.logged()) / 1e6);
}

async function punched(note, name, Pages) {
  const size = 2 ** 28;
  const count = 300_000;
  const random = lcg(6);
  const where = Uint32Array.from({ length: count }, () => random(size - 1));
  const before = memory();
  const made = await Pages.of(size);
  for (let at = 0; at < size; at += 2 ** 20) made.fill(at, at + 2 ** 20);
  note('file of 2^28, full, MB', name, (memory() - before - made.logged()) / 1e6);
  const start = process.hrtime.bigint();
  for (const page of where) made.clear(page, page + 1);
  const took = Number(process.hrtime.bigint() - start);
  note('file of 2^28, full, 300,000 punches, ns each', name, took / count);
  note('file of 2^28, full, 300,000 punches, MB', name, (memory() - before - made.logged()) / 1e6);
}

function memory() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return heapUsed + Math.max(arrayBuffers, external);
}

/** The whole operation, with its journal; what that holds is taken off: 32 bytes an event. */
class MemfilePages {
  static async of(size) {
    const made = new MemfilePages();
    Object.assign(made, newFile(size));
    return made;
  }
  fill(start, end) {
    void this.file.fallocate(start, end);
  }
  clear(start, end) {
    void this.file.punchHole(start, end);
  }
  logged() {
    return this.memfile.state.position * 32;
  }
}

/** Runs by their start: what of them overlaps is taken out, and what is left put back. */
class TreePages {
  #runs = new BTree();
  static async of() {
    return new TreePages();
  }
  fill(start, end) {
    this.clear(start, end);
    this.#runs.set(start, end);
  }
  clear(start, end) {
    const before = this.#runs.nextLowerPair(start + 1);
    if (before !== undefined && before[1] > start) {
      this.#runs.set(before[0], start);
      if (before[0] === start) this.#runs.delete(start);
      if (before[1] > end) this.#runs.set(end, before[1]);
    }
    for (let next = this.#runs.nextHigherPair(start); next !== undefined && next[0] < end;) {
      this.#runs.delete(next[0]);
      if (next[1] > end) this.#runs.set(end, next[1]);
      next = this.#runs.nextHigherPair(next[0]);
    }
  }
  logged() {
    return 0;
  }
}

/** A set of pages only: it has no frames. Its memory is in its own heap. */
class RoaringPages {
  #pages = new RoaringBitmap32();
  static async of() {
    return new RoaringPages();
  }
  fill(start, end) {
    this.#pages.addRange(start, end);
  }
  clear(start, end) {
    this.#pages.removeRange(start, end);
  }
  logged() {
    return 0;
  }
}

class MapPages {
  #frames = new Map();
  #next = 1;
  static async of() {
    return new MapPages();
  }
  fill(start, end) {
    for (let page = start; page < end; page++) this.#frames.set(page, this.#next++);
  }
  logged() {
    return 0;
  }
}
