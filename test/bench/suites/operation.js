/**
 * Whole operations: page state, journal, who is concerned, dispatch. Two of the consumers overlap.
 * Every second operation allocates, the other punches; the promise is left alone.
 */
import { Subject, filter } from 'rxjs';
import { Floor } from '../floor.js';
import { lcg, manyListeners } from '../harness.js';
import { newFile } from '../memfile.js';

const SLICE = 1024;
const SEQUENCE = 4096;

export default async function operation(suite) {
  for (const consumers of [16, 256]) {
    for (const longest of [1, 512]) {
      const setting = settingOf(consumers, longest);
      await suite.measure(
        `${consumers} consumers, ${longest === 1 ? '1 page' : '1-512 pages'}, ns`,
        {
          memfile: await viaMemfile(setting),
          'tuned floor': viaFloor(setting),
          'bitmap, Subject, filter each': viaSubject(setting, new Bitmap(setting.pages)),
          ...(longest > 1 && consumers > 16
            ? {}
            : {
                'Map, JSON lines, Subject, filter each': viaSubject(setting, new PageMap(), true),
              }),
        },
      );
    }
  }
}

/** Every slice of the file has two consumers of all of it. */
function settingOf(consumers, longest) {
  const pages = (consumers / 2) * SLICE;
  const random = lcg(consumers + longest);
  const ranges = Array.from({ length: consumers }, (_, i) => {
    const start = (i >> 1) * SLICE;
    return { start, end: start + SLICE };
  });
  const starts = [];
  const ends = [];
  for (let i = 0; i < SEQUENCE; i++) {
    const length = 1 + random(longest);
    const start = random(consumers / 2) * SLICE + random(SLICE - length);
    starts.push(start);
    ends.push(start + length);
  }
  return { pages, ranges, starts, ends };
}

function notifiers(count) {
  const [fallocate, invalidate, invalidateEnd] = [0, 1, 2].map(() => manyListeners(count));
  return Array.from({ length: count }, (_, i) => ({
    fallocate: fallocate[i],
    invalidate: invalidate[i],
    invalidateEnd: invalidateEnd[i],
  }));
}

async function viaMemfile({ pages, ranges, starts, ends }) {
  const { file } = newFile(pages);
  for (const [i, notifier] of notifiers(ranges.length).entries()) {
    await file.register(notifier, { range: ranges[i] });
  }
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const step = at++;
      if (step & 1) {
        const place = (step >> 1) & (SEQUENCE - 1);
        void file.punchHole(starts[place], ends[place]);
      } else {
        const place = ((step >> 1) + 64) & (SEQUENCE - 1);
        void file.fallocate(starts[place], ends[place]);
      }
    }
  };
}

function viaFloor({ pages, ranges, starts, ends }) {
  const floor = new Floor(pages);
  for (const [i, notifier] of notifiers(ranges.length).entries())
    floor.register(notifier, ranges[i]);
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const step = at++;
      if (step & 1) {
        const place = (step >> 1) & (SEQUENCE - 1);
        floor.punchHole(starts[place], ends[place]);
      } else {
        const place = ((step >> 1) + 64) & (SEQUENCE - 1);
        floor.fallocate(starts[place], ends[place]);
      }
    }
  };
}

/** What one would write with RxJS alone: no isolation, no end, an array or lines for a log. */
function viaSubject({ ranges, starts, ends }, state, lines = false) {
  const subject = new Subject();
  const listeners = manyListeners(ranges.length, 'event', 'event.start');
  for (const [i, range] of ranges.entries()) {
    subject
      .pipe(filter((event) => event.start < range.end && event.end > range.start))
      .subscribe(listeners[i]);
  }
  let log = [];
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const step = at++;
      const punch = (step & 1) === 1;
      const place = ((step >> 1) + (punch ? 0 : 64)) & (SEQUENCE - 1);
      const event = {
        type: punch ? 'invalidate' : 'fallocate',
        position: step,
        start: starts[place],
        end: ends[place],
      };
      if (log.length > 1e6) log = [];
      log.push(lines ? JSON.stringify(event) : event);
      if (!punch) state.fill(event.start, event.end);
      subject.next(event);
      if (punch) state.clear(event.start, event.end);
    }
  };
}

class Bitmap {
  #words;
  constructor(pages) {
    this.#words = new Uint32Array(Math.ceil(pages / 32) + 1);
  }
  fill(start, end) {
    this.#each(start, end, (word, mask) => (this.#words[word] |= mask));
  }
  clear(start, end) {
    this.#each(start, end, (word, mask) => (this.#words[word] &= ~mask));
  }
  #each(start, end, change) {
    for (let at = start; at < end;) {
      const word = at >>> 5;
      const stop = Math.min(end, (word + 1) << 5);
      const bits = stop - at;
      change(word, (bits === 32 ? -1 : (1 << bits) - 1) << (at & 31));
      at = stop;
    }
  }
}

class PageMap {
  #frames = new Map();
  #next = 1;
  fill(start, end) {
    for (let page = start; page < end; page++) {
      if (!this.#frames.has(page)) this.#frames.set(page, this.#next++);
    }
  }
  clear(start, end) {
    for (let page = start; page < end; page++) this.#frames.delete(page);
  }
}
