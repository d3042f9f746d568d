/** A million events appended to a journal in memory, and folded back. */
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { MemoryJournal, replay } from '../../../dist/core/index.js';
import { median } from '../harness.js';
import { created, eventsOf } from '../page-events.js';

const EVENTS = 1_000_000;
const ROUNDS = 7;

/** Kept, as a program would: an engine forgets how to deal with objects of which there are none. */
let state;

export default async function journal(suite) {
  // To collect between two candidates would have the engine forget code that did not run meanwhile.
  setFlagsFromString('--no-flush-bytecode');
  const events = eventsOf(EVENTS);
  const append = {};
  const fold = {};
  const add = (to, name, ns) => (to[name] ??= []).push(ns / EVENTS);
  for (let round = 0; round < ROUNDS; round++) {
    const memory = new MemoryJournal();
    memory.append(created);
    add(append, 'memfile', await timed(() => appendAll(memory, events)));
    add(fold, 'memfile, state folded', await timed(() => (state = replay(memory))));
    add(fold, 'memfile, read', await timed(() => read(memory)));

    const rows = new Float64Array(EVENTS * 4);
    add(append, 'typed array', await timed(() => rowAll(rows, events)));
    add(fold, 'typed array, summed', await timed(() => total(rows)));

    const objects = [];
    add(append, 'array of objects', await timed(() => pushAll(objects, events)));

    const lines = [];
    add(append, 'JSON lines', await timed(() => printAll(lines, events)));
    add(fold, 'JSON lines', await timed(() => parsed(lines)));
  }
  for (const [name, each] of Object.entries(append))
    suite.note('append, ns an event', name, median(each));
  for (const [name, each] of Object.entries(fold))
    suite.note('replay, ns an event', name, median(each));
}

async function timed(work) {
  // What the one before has left is not this one's to collect; memory is given back beside it.
  globalThis.gc?.();
  await pause(20);
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

function read(journal) {
  let sum = 0;
  for (const event of journal.read(1)) sum += event.position;
  return sum;
}

// Loops of their own: one that is shared by all would be compiled for none of them.

function appendAll(journal, events) {
  for (const event of events) journal.append(event);
}

function rowAll(rows, events) {
  let at = 0;
  for (const { file, operation, start, end } of events) {
    rows[at++] = file;
    rows[at++] = operation;
    rows[at++] = start;
    rows[at++] = end;
  }
}

function pushAll(objects, events) {
  for (const event of events) objects.push({ ...event });
}

function printAll(lines, events) {
  for (const event of events) lines.push(JSON.stringify(event));
}

function total(rows) {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += rows[i];
  return sum;
}

function parsed(lines) {
  const pages = new Map();
  for (const line of lines) {
    const { start, end, type } = JSON.parse(line);
    pages.set(start, type === 'invalidate' ? 0 : end);
  }
  return pages.size;
}
