/**
 * Candidates side by side: each is warmed up, then takes its turns in a rotating order, and the
 * median of its turns counts. A candidate is `(n) => …`, which does its work n times in a loop of
 * its own: a loop that is shared by all would be compiled for none of them.
 */
const TURN_MS = 8;
const TURNS = 11;

export class Suite {
  /** `{ case: { candidate: number } }`; nanoseconds unless the case says otherwise. */
  results = {};

  /** @param candidates `{ name: (n) => void | Promise<void> }` */
  async measure(name, candidates, { turns = TURNS, turnMs = TURN_MS } = {}) {
    const runs = [];
    for (const [candidate, run] of Object.entries(candidates)) {
      runs.push({ candidate, run, count: await calibrate(run, turnMs), samples: [] });
    }
    for (let turn = 0; turn < turns; turn++) {
      for (let i = 0; i < runs.length; i++) {
        const { run, count, samples } = runs[(i + turn) % runs.length];
        samples.push((await time(run, count)) / count);
      }
    }
    for (const { candidate, samples } of runs) this.note(name, candidate, median(samples));
  }

  note(name, candidate, value) {
    (this.results[name] ??= {})[candidate] = value;
  }

  /** What one more costs, from two cases that differ in how many there are. */
  slope(name, [from, few], [to, many]) {
    for (const [candidate, ns] of Object.entries(this.results[to])) {
      const before = this.results[from][candidate];
      if (before !== undefined) this.note(name, candidate, (ns - before) / (many - few));
    }
  }
}

/** An engine that has little time beside its work takes so long to compile that. */
const WARM_MS = 200;

/** How many times it is done in one turn; every candidate is warm after this. */
async function calibrate(run, turnMs) {
  let count = 1;
  for (;;) {
    const ms = (await time(run, count)) / 1e6;
    if (ms >= turnMs / 2) {
      let wanted = Math.max(1, Math.round((count * turnMs) / ms));
      let warm = turnMs;
      for (let spent = 0; spent < WARM_MS; spent += warm) {
        wanted = Math.max(1, Math.round((wanted * turnMs) / warm));
        warm = (await time(run, wanted)) / 1e6;
      }
      return Math.max(1, Math.round((wanted * turnMs) / warm));
    }
    count *= ms < turnMs / 20 ? 8 : 2;
  }
}

async function time(run, count) {
  const start = process.hrtime.bigint();
  const pending = run(count);
  if (pending !== undefined) await pending;
  return Number(process.hrtime.bigint() - start);
}

export function median(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Numbers below `limit`, the same in every run. */
export function lcg(seed = 1) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** What listeners write to, so that no call of one can be left out. */
export const sink = (globalThis.benchSink = { sum: 0 });

/**
 * `count` listeners from 64 different pieces of source, as plugins of many authors are: an engine
 * cannot inline what it calls then, as it could if all came from one. `parameters` is what they are
 * called with, `start` the expression that reads the first page from it.
 */
export function manyListeners(count, parameters = 'start, end', start = 'start') {
  salt++;
  const makers = Array.from({ length: 64 }, (_, i) => {
    const body = `sink.sum = (sink.sum + ${start} + ${salt * 64 + i}) | 0;`;
    return new Function('sink', `return () => (${parameters}) => { ${body} };`)(sink);
  });
  return Array.from({ length: count }, (_, i) => makers[i % 64]());
}

/** Engines share what they learn of a function among all that have the same source. */
let salt = 0;
