/** One event to N callbacks of many different functions; the slope is what one more costs. */
import { EventEmitter } from 'node:events';
import EventEmitter3 from 'eventemitter3';
import mitt from 'mitt';
import { createNanoEvents } from 'nanoevents';
import { Subject } from 'rxjs';
import tapable from 'tapable';
import { manyListeners } from '../harness.js';
import { newFile } from '../memfile.js';

const COUNTS = [1, 10, 100, 1000];

export default async function dispatch(suite) {
  for (const count of COUNTS) {
    await suite.measure(`${count} callbacks, ns an event`, {
      memfile: await viaMemfile(count),
      'raw loop': viaLoop(count),
      'rxjs Subject': viaSubject(count),
      eventemitter3: viaEmitter3(count),
      EventEmitter: viaEmitter(count),
      mitt: viaMitt(count),
      nanoevents: viaNano(count),
      'tapable SyncHook': viaTapable(count),
    });
  }
  const at = (count) => [`${count} callbacks, ns an event`, count];
  suite.slope('slope 10 to 1000, ns a callback', at(10), at(1000));
  suite.slope('slope 10 to 100, ns a callback', at(10), at(100));
}

/** A whole punch: journalled twice, in order, each callback on its own, an end to everybody. */
async function viaMemfile(count) {
  const { file } = newFile(4);
  for (const invalidate of manyListeners(count)) await file.register({ invalidate });
  return (n) => {
    for (let i = 0; i < n; i++) void file.punchHole(1, 2);
  };
}

function viaLoop(count) {
  const listeners = manyListeners(count);
  return (n) => {
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < listeners.length; l++) listeners[l](1, 2);
    }
  };
}

function viaSubject(count) {
  const subject = new Subject();
  for (const next of manyListeners(count, 'event', 'event.start')) subject.subscribe(next);
  return (n) => {
    for (let i = 0; i < n; i++) subject.next({ type: 'invalidate', start: 1, end: 2 });
  };
}

function viaEmitter3(count) {
  const emitter = new EventEmitter3();
  for (const listener of manyListeners(count)) emitter.on('invalidate', listener);
  return (n) => {
    for (let i = 0; i < n; i++) emitter.emit('invalidate', 1, 2);
  };
}

function viaEmitter(count) {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  for (const listener of manyListeners(count)) emitter.on('invalidate', listener);
  return (n) => {
    for (let i = 0; i < n; i++) emitter.emit('invalidate', 1, 2);
  };
}

function viaMitt(count) {
  const emitter = mitt();
  for (const listener of manyListeners(count, 'event', 'event.start')) {
    emitter.on('invalidate', listener);
  }
  return (n) => {
    for (let i = 0; i < n; i++) emitter.emit('invalidate', { start: 1, end: 2 });
  };
}

function viaNano(count) {
  const emitter = createNanoEvents();
  for (const listener of manyListeners(count)) emitter.on('invalidate', listener);
  return (n) => {
    for (let i = 0; i < n; i++) emitter.emit('invalidate', 1, 2);
  };
}

function viaTapable(count) {
  const hook = new tapable.SyncHook(['start', 'end']);
  for (const [i, listener] of manyListeners(count).entries()) hook.tap(`${i}`, listener);
  return (n) => {
    for (let i = 0; i < n; i++) hook.call(1, 2);
  };
}
