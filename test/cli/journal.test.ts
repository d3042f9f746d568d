import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CheckReport } from '../../adapters/cli/check.js';
import type { EventRow } from '../../adapters/journal-log/index.js';
import type { Holders } from '../../adapters/journal-questions/index.js';
import type { TraceEvent } from '../../adapters/perfetto/index.js';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import { KvmVm } from '../../adapters/kvm/index.js';
import {
  createMemfile,
  type PageRange,
  type Recorded,
  type StateSnapshot,
} from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { fixture, memfile } from './memfile.js';

// Child processes, disks, and machines that do other things too.
vi.setConfig({ testTimeout: 60_000 });

let folder = '';
let journal = '';
let rows = '';

const lines = (text: string): readonly string[] => text.split('\n').slice(0, -1);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'memfile-commands-'));
  journal = join(folder, 'run.memfile');
  rows = join(folder, 'rows.jsonl');
  const trace = fixture('qemu-freepage-reporting-tcg.strace.gz');
  const args = ['--journal', journal, '--record', 'full', '--events', rows, '--progress', 'json'];
  const { code, err } = memfile('run', trace, ...args);
  expect(code).toBe(0);
  const acknowledged = lines(err).map(
    (line) => (JSON.parse(line) as { readonly acknowledged: number }).acknowledged,
  );
  const reader = SqliteJournal.read(journal);
  expect(acknowledged.length).toBeGreaterThan(10);
  expect(acknowledged).toEqual([...acknowledged].sort((a, b) => a - b));
  expect(acknowledged.at(-1)).toBe(reader.position);
  void reader.close();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const json = <T>(...args: readonly string[]): T => {
  const { code, out, err } = memfile(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as T;
};

describe('memfile over a journal', () => {
  it('log gives the rows of run --events, and parts of them', () => {
    const { out } = memfile('log', journal, '--json');
    expect(out === readFileSync(rows, 'utf8')).toBe(true);
    const all = lines(out).map((line) => JSON.parse(line) as EventRow);
    const consumer = all.find((row) => row.consumer !== null)!.consumer!;
    const part = memfile('log', journal, '--json', '--range', '0..64', '--consumer', consumer);
    const wanted = all.filter((row) => row.consumer === consumer && row.start < 64);
    expect(lines(part.out).map((line) => JSON.parse(line) as EventRow)).toEqual(wanted);
    for (const range of ['x', '5..2', '5..5', '1..']) {
      const { code, err } = memfile('log', journal, '--range', range);
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`got ${range}`) });
    }
    expect(lines(memfile('log', journal).out)).toHaveLength(all.length);
  });

  it('show gives the state after any event, and a picture', () => {
    const { lastPosition } = json<CheckReport>('check', journal, '--json');
    const end = json<StateSnapshot>('show', journal, '--json');
    expect(end).toMatchObject({ position: lastPosition, files: [], registrations: [], leases: [] });
    const half = Math.floor(lastPosition / 2);
    const state = json<StateSnapshot>('show', journal, '--json', '--at', String(half));
    expect(state.position).toBe(half);
    expect(state.files[0]).toMatchObject({ id: expect.any(Number), populated: expect.any(Array) });
    expect(memfile('show', journal, '--at', String(half)).out).toMatch(/cell\n +0 [·░▒▓█]+\n/);
    const past = memfile('show', journal, '--at', String(lastPosition + 1));
    expect(past).toMatchObject({ code: 2, err: expect.stringContaining('EINVAL') });
  });

  it('show lists the slots of VMs at any event, and what others recorded last', async () => {
    const path = join(folder, 'vm.memfile');
    const plugins = [hugetlb({ pool: 2 }), shmem()];
    const composed = createMemfile({ plugins, journal: SqliteJournal.open(path) });
    const ram = composed.createFile('shmem', { size: 16, name: 'ram' });
    const vm = new KvmVm({ name: 'guest', memfile: composed });
    const piece = { gfn: 2, pages: 4, file: ram, offset: 8 };
    await vm.setMemslot({ slot: 1, gfn: 0, pages: 8, pieces: [piece], readOnly: true });
    await vm.setMemslot({ slot: 3, gfn: 64, pages: 8, guestMemfd: { file: ram, offset: 0 } });
    await vm.setMemoryAttributes({ address: 0, size: 8192, attributes: 8 });
    const at = composed.journal.position;
    await vm.setMemslot({ slot: 1, gfn: 0, pages: 0 });
    await vm[Symbol.asyncDispose]();
    await composed[Symbol.asyncDispose]();
    const { out } = memfile('show', path, '--at', String(at));
    expect(out).toContain(
      [
        'vm "guest"',
        '  slot 1: guest pages [0, 8) = [2, 6) = [8, 12) of file 1, readOnly',
        '  slot 3: guest pages [64, 72) = [0, 8) of file 1 (guest_memfd)',
        '  private: guest pages [0, 2)',
      ].join('\n'),
    );
    expect(out).toMatch(/"hugetlb" recorded last\n {2}pool: \{"pageSize":"2M","total":2/);
    const { own } = json<StateSnapshot>('show', path, '--json', '--at', String(at + 1));
    expect(own).toMatchObject({
      kvm: { vms: [{ name: 'guest', slots: [{ slot: 1 }, { slot: 3 }] }] },
    });
    expect(memfile('show', path).out).not.toContain('guest');
    expect(memfile('check', path).code).toBe(0);
  });

  it('answers who touched a page last, who held it, and what took longest', () => {
    const reader = SqliteJournal.read(journal);
    const events = [...reader.read(1)];
    void reader.close();
    const punch = events.find(({ type }) => type === 'invalidate') as Recorded & PageRange;
    const { position, start, file } = punch as typeof punch & { readonly file: number };
    const page = ['--file', String(file), '--page', String(start)];
    const touch = json<Recorded>(
      'log',
      journal,
      ...page,
      '--last',
      '--to',
      `${position}`,
      '--json',
    );
    expect(touch).toEqual(punch);
    expect(memfile('log', journal, ...page, '--last', '--to', '1')).toMatchObject({ code: 1 });
    const held = json<Holders>('show', journal, ...page, '--at', `${position - 1}`, '--json');
    expect(held).toMatchObject({ position: position - 1, pfn: expect.any(Number), leases: [] });
    expect(held.mappings?.length).toBeGreaterThan(0);
    const grace = memfile('log', journal, '--grace', '--json');
    expect(grace).toMatchObject({ code: 0, err: '' });
  });

  it('diff finds the same twice, and where another journal parts', () => {
    expect(memfile('diff', journal, journal)).toMatchObject({ code: 0 });
    const other = join(folder, 'other.memfile');
    memfile('run', fixture('qemu-boot-tcg.strace.gz'), '--journal', other);
    const { code, out } = memfile('diff', journal, other, '--json');
    const { a, b } = JSON.parse(out) as { readonly a: Recorded; readonly b: Recorded };
    expect({ code, same: JSON.stringify(a) === JSON.stringify(b) }).toEqual({
      code: 1,
      same: false,
    });
    expect(memfile('log', other, '--grace')).toMatchObject({ code: 2, out: '' });
  });

  it('check finds the laws kept, and rerun the same events', () => {
    const report = json<CheckReport>('check', journal, '--json');
    expect(report).toMatchObject({ firstPosition: 1, violations: [], open: 0, damage: null });
    expect(memfile('rerun', journal)).toMatchObject({ code: 0 });
  });

  it('check names the first violation, where it is, and what led to it', async () => {
    const wrong = join(folder, 'wrong.memfile');
    const writer = SqliteJournal.open(wrong);
    const file = { file: 1, operation: 1 };
    writer.append({
      type: 'createFile',
      file: 1,
      name: 'ram',
      store: 'shmem',
      pages: 8,
      flags: [],
      seals: [],
      options: {},
    });
    writer.append({ type: 'fallocate', ...file, start: 0, end: 4, pfn: 1, reason: 'fallocate' });
    writer.append({ type: 'fallocate', ...file, start: 4, end: 6, pfn: 3, reason: 'fallocate' });
    await writer.close();
    const { code, out } = memfile('check', wrong, '--json');
    const report = JSON.parse(out) as CheckReport;
    expect({ code, count: report.violationCount }).toEqual({ code: 1, count: 1 });
    expect(report.violations[0]).toMatchObject({ law: 4, position: 3 });
    expect(report.ledTo.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(memfile('check', wrong).out).toContain(
      'law 4 (gone means gone) is broken at position 3',
    );
    expect(memfile('rerun', wrong)).toMatchObject({
      code: 1,
      out: expect.stringContaining('now:'),
    });
  });

  it('export perfetto is a Chrome JSON trace with balanced spans and every delivery', () => {
    const file = join(folder, 'trace.json');
    const { code, err } = memfile('export', journal, '--to', 'perfetto', '-o', file);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly traceEvents: readonly TraceEvent[];
    };
    const open = new Map<string, TraceEvent>();
    const flows = new Map<string, string[]>();
    const wrong = traceEvents.filter(
      ({ ph, pid, tid, ts, name, dur }) =>
        ![pid, tid, ts].every((n) => Number.isFinite(n) && n >= 0) ||
        typeof name !== 'string' ||
        (ph === 'X') !== (dur !== undefined),
    );
    expect(wrong).toEqual([]);
    for (const event of traceEvents) {
      if (event.ph === 'b') {
        expect(open.has(event.id!)).toBe(false);
        open.set(event.id!, event);
      } else if (event.ph === 'e') {
        const { name, cat, ts } = open.get(event.id!)!;
        expect(event).toMatchObject({ name, cat });
        expect(event.ts).toBeGreaterThanOrEqual(ts);
        open.delete(event.id!);
      } else if (event.ph === 's' || event.ph === 'f') {
        flows.set(event.id!, [...(flows.get(event.id!) ?? []), event.ph]);
      }
    }
    expect(open.size).toBe(0);
    const told = lines(readFileSync(rows, 'utf8'))
      .map((line) => JSON.parse(line) as EventRow)
      .filter(({ consumer }) => consumer !== null);
    expect(flows.size).toBe(told.length);
    expect([...flows.values()].every((ends) => ends.join('') === 'sf')).toBe(true);
    const slices = traceEvents.filter(({ ph, tid, cat }) => ph === 'X' && tid > 0 && !cat);
    expect(slices.map(({ name, pid }) => `${pid} ${name}`)).toEqual(
      told.map((row) => `${row.file} ${row.type} [${row.start}, ${row.end}), ${row.reason}`),
    );
  });

  it('export jsonl gives every event', () => {
    const { code, out } = memfile('export', journal, '--to', 'jsonl');
    const { lastPosition } = json<CheckReport>('check', journal, '--json');
    expect({ code, events: lines(out).length }).toEqual({ code: 0, events: lastPosition });
    expect(memfile('export', journal, '--to', 'xml')).toMatchObject({ code: 2, out: '' });
  });

  it('run goes on with a journal that is there', () => {
    const copy = join(folder, 'again.memfile');
    const trace = fixture('qemu-boot-tcg.strace.gz');
    expect(memfile('run', trace, '--journal', copy).code).toBe(0);
    const first = json<CheckReport>('check', copy, '--json').lastPosition;
    expect(memfile('run', trace, '--journal', copy).code).toBe(0);
    const second = json<CheckReport>('check', copy, '--json');
    expect(second).toMatchObject({ violations: [], open: 0 });
    expect(second.lastPosition).toBeGreaterThan(first);
  });

  it.each(['show', 'log', 'check', 'rerun', 'export'])(
    '%s of a damaged journal exits with 2 and the last good position; --salvage reads that far',
    (command) => {
      const damaged = join(folder, `damaged-${command}`);
      copyFileSync(journal, damaged);
      const bytes = readFileSync(damaged);
      // One of them hits events, wherever those are.
      for (const part of [0.3, 0.45, 0.6, 0.75]) bytes[Math.floor(bytes.length * part)]! ^= 1;
      writeFileSync(damaged, bytes);
      const more = command === 'export' ? ['--to', 'jsonl'] : [];
      const { code, out, err } = memfile(command, damaged, ...more);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      const good = Number(/last good position (\d+)/.exec(err)?.[1]);
      expect(good).toBeGreaterThan(0);
      const salvaged = memfile(command, damaged, '--salvage', ...more);
      expect(salvaged).toMatchObject({ code: 0, err: expect.stringContaining('warning') });
      if (command === 'export') expect(lines(salvaged.out)).toHaveLength(good);
    },
  );

  it.each([
    ['a file that is not there', '/nonexistent/journal'],
    ['another file', fixture('README.md')],
  ])('exits with 2 for %s', (_, file) => {
    for (const command of ['show', 'log', 'check', 'rerun']) {
      expect(memfile(command, file)).toMatchObject({ code: 2, out: '' });
    }
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    truncateSync(empty, 0);
    expect(memfile('check', empty)).toMatchObject({ code: 2, out: '' });
  });
});
