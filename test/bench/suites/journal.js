/** A million events appended to a journal in memory, and folded back. */
import { MemoryJournal, replay } from '../../../dist/core/index.js';
import { median } from '../harness.js';
import { created, eventsOf } from '../page-events.js';

const EVENTS = 1_000_000;

export default async function journal(suite) {
  const events = eventsOf(EVENTS);
  const append = {};
  const fold = {};
  const add = (to, name, ns) => (to[name] ??= []).push(ns / EVENTS);
  for (let round = 0; round < 5; round++) {
    const memory = new MemoryJournal();
    memory.append(created);
    add(
      append,
      'memfile',
      timed(() => events.forEach((event) => memory.append(event))),
    );
    add(
      fold,
      'memfile, state folded',
      timed(() => replay(memory)),
    );
    add(
      fold,
      'memfile, read',
      timed(() => read(memory)),
    );

    const rows = new Float64Array(EVENTS * 4);
    add(
      append,
      'typed array',
      timed(() => events.forEach((event, i) => row(rows, i, event))),
    );
    add(
      fold,
      'typed array, summed',
      timed(() => total(rows)),
    );

    const objects = [];
    add(
      append,
      'array of objects',
      timed(() => events.forEach((event) => objects.push({ ...event }))),
    );

    const lines = [];
    add(
      append,
      'JSON lines',
      timed(() => events.forEach((event) => lines.push(JSON.stringify(event)))),
    );
    add(
      fold,
      'JSON lines',
      timed(() => parsed(lines)),
    );
  }
  for (const [name, each] of Object.entries(append))
    suite.note('append, ns an event', name, median(each));
  for (const [name, each] of Object.entries(fold))
    suite.note('replay, ns an event', name, median(each));
}

function timed(work) {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

function read(journal) {
  let sum = 0;
  for (const event of journal.read(1)) sum += event.position;
  return sum;
}

function row(rows, i, { file, operation, start, end }) {
  rows[i * 4] = file;
  rows[i * 4 + 1] = operation;
  rows[i * 4 + 2] = start;
  rows[i * 4 + 3] = end;
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
