/** A consumer leaves, whichever, and another comes; memfile also waits for the grace period. */
import { EventEmitter } from 'node:events';
import EventEmitter3 from 'eventemitter3';
import { Subject } from 'rxjs';
import { lcg, manyListeners } from '../harness.js';
import { newFile } from '../memfile.js';

const PAGES = 2 ** 24;

export default async function churn(suite) {
  for (const live of [1, 1000, 100_000]) {
    const turns = live > 1000 ? 5 : 11;
    await suite.measure(
      `${live} live, ns to leave and come`,
      {
        memfile: await viaMemfile(live, () => undefined),
        'memfile, ranges': await viaMemfile(live, ranged(live)),
        'rxjs Subject': viaSubject(live),
        EventEmitter: viaEmitter(new EventEmitter().setMaxListeners(0), live),
        ...(live > 1000 ? {} : { eventemitter3: viaEmitter(new EventEmitter3(), live) }),
        Set: viaSet(live),
      },
      { turns },
    );
  }
}

function ranged(live) {
  const random = lcg(live);
  const length = Math.ceil((8 * PAGES) / (live + 1));
  return () => {
    const start = random(PAGES - 1);
    return { start, end: Math.min(start + 1 + random(length), PAGES) };
  };
}

async function viaMemfile(live, rangeOf) {
  const { file } = newFile(PAGES);
  const random = lcg(7);
  const [invalidate] = manyListeners(1);
  const register = () => file.register({ invalidate }, { name: 'one', range: rangeOf() });
  const registrations = [];
  for (let i = 0; i < live; i++) registrations.push(await register());
  return async (n) => {
    for (let i = 0; i < n; i++) {
      const victim = random(live);
      await registrations[victim].unregister();
      registrations[victim] = await register();
    }
  };
}

function viaSubject(live) {
  const subject = new Subject();
  const random = lcg(7);
  const [listener] = manyListeners(1);
  const subscriptions = Array.from({ length: live }, () => subject.subscribe(listener));
  return (n) => {
    for (let i = 0; i < n; i++) {
      const victim = random(live);
      subscriptions[victim].unsubscribe();
      subscriptions[victim] = subject.subscribe(listener);
    }
  };
}

function viaEmitter(emitter, live) {
  const random = lcg(7);
  const [listener] = manyListeners(1);
  const add = () => {
    const own = (start, end) => listener(start, end);
    emitter.on('invalidate', own);
    return own;
  };
  const listeners = Array.from({ length: live }, add);
  return (n) => {
    for (let i = 0; i < n; i++) {
      const victim = random(live);
      emitter.off('invalidate', listeners[victim]);
      listeners[victim] = add();
    }
  };
}

function viaSet(live) {
  const set = new Set();
  const random = lcg(7);
  const [listener] = manyListeners(1);
  const add = () => {
    const own = (start, end) => listener(start, end);
    set.add(own);
    return own;
  };
  const listeners = Array.from({ length: live }, add);
  return (n) => {
    for (let i = 0; i < n; i++) {
      const victim = random(live);
      set.delete(listeners[victim]);
      listeners[victim] = add();
    }
  };
}
