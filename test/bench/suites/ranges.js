/** Consumers of ranges, about 4 of which an event overlaps; whole-file ranges mixed in. */
import IntervalTreeModule from '@flatten-js/interval-tree';
import Flatbush from 'flatbush';
import { Subject, filter } from 'rxjs';
import { lcg, manyListeners } from '../harness.js';
import { newFile } from '../memfile.js';

const IntervalTree = IntervalTreeModule.default ?? IntervalTreeModule;

export default async function ranges(suite) {
  for (const [count, whole] of [
    [1000, 0],
    [1000, 1],
    [100_000, 0],
    [100_000, 100],
  ]) {
    const pages = count * 16;
    const random = lcg(count);
    const wanted = Array.from({ length: count - whole }, () => {
      const start = random(pages - 64);
      return { start, end: start + 1 + random(126) };
    });
    for (let i = 0; i < whole; i++) wanted.push({ start: 0, end: pages });
    const where = Array.from({ length: 4096 }, () => random(pages - 1));
    const mixed = whole === 0 ? '' : `, ${whole} of the whole file`;
    await suite.measure(`${count} ranges${mixed}, ns an event`, {
      memfile: await viaMemfile(wanted, where, pages),
      'interval-tree and calls': viaTree(wanted, where),
      'flatbush and calls': viaBush(wanted, where),
      'array and calls': viaArray(wanted, where),
      'rxjs Subject, filter each': viaSubject(wanted, where),
    });
  }
}

async function viaMemfile(wanted, where, pages) {
  const { file } = newFile(pages);
  const listeners = manyListeners(wanted.length);
  for (const [i, range] of wanted.entries()) {
    await file.register({ invalidate: listeners[i] }, { range });
  }
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const start = where[at++ & 4095];
      void file.punchHole(start, start + 1);
    }
  };
}

/** Its intervals are closed. */
function viaTree(wanted, where) {
  const tree = new IntervalTree();
  for (const [i, listener] of manyListeners(wanted.length).entries()) {
    tree.insert([wanted[i].start, wanted[i].end - 1], listener);
  }
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const start = where[at++ & 4095];
      for (const listener of tree.search([start, start])) listener(start, start + 1);
    }
  };
}

/** It never changes once built. */
function viaBush(wanted, where) {
  const bush = new Flatbush(wanted.length);
  const listeners = manyListeners(wanted.length);
  for (const { start, end } of wanted) bush.add(start, 0, end - 1, 0);
  bush.finish();
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const start = where[at++ & 4095];
      for (const found of bush.search(start, 0, start, 0)) listeners[found](start, start + 1);
    }
  };
}

function viaArray(wanted, where) {
  const listeners = manyListeners(wanted.length);
  const starts = wanted.map(({ start }) => start);
  const ends = wanted.map(({ end }) => end);
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const start = where[at++ & 4095];
      for (let l = 0; l < listeners.length; l++) {
        if (starts[l] < start + 1 && ends[l] > start) listeners[l](start, start + 1);
      }
    }
  };
}

function viaSubject(wanted, where) {
  const subject = new Subject();
  const listeners = manyListeners(wanted.length, 'event', 'event.start');
  for (const [i, range] of wanted.entries()) {
    subject
      .pipe(filter((event) => event.start < range.end && event.end > range.start))
      .subscribe(listeners[i]);
  }
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const start = where[at++ & 4095];
      subject.next({ type: 'invalidate', start, end: start + 1 });
    }
  };
}
