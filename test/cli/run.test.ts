import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../adapters/cli/run-trace.js';
import type { EventRow } from '../../adapters/journal-log/index.js';
import { PageSet } from '../model/page-set.js';
import { fixture, main, memfile } from './memfile.js';

interface Tally {
  readonly file: string;
  readonly files_seen: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly memslots_set: number;
  readonly memslots_deleted: number;
  readonly max_live_slots: number;
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly punch_calls: number;
    readonly punch_bytes: number;
    readonly punch_union_bytes: number;
    readonly alloc_calls: number;
    readonly shared_mmaps: number;
  }[];
}

const tallies = readFileSync(fixture('tally.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Tally);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'memfile-run-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(trace: string): { readonly report: RunReport; readonly rows: readonly EventRow[] } {
  const events = join(folder, 'events.jsonl');
  const { code, out, err } = memfile('run', trace, '--json', '--events', events);
  expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining('memfile:') });
  const lines = readFileSync(events, 'utf8').split('\n').slice(0, -1);
  return { report: JSON.parse(out), rows: lines.map((line) => JSON.parse(line) as EventRow) };
}

describe.each(tallies)('memfile run $file', (tally) => {
  let report: RunReport;
  let rows: readonly EventRow[];
  beforeAll(() => {
    ({ report, rows } = run(fixture(tally.file)));
  });

  it('counts per file what the independent tally counts', () => {
    expect(report.files).toHaveLength(tally.files_seen);
    const used = report.files.filter((file) => file.sizeBytes > 0 || file.punchCalls > 0);
    const figures = used.map((file) => ({
      name: file.name,
      size: file.sizeBytes,
      punch_calls: file.punchCalls,
      punch_bytes: file.punchedBytes,
      punch_union_bytes: file.punchedUnionBytes,
      alloc_calls: file.fallocateCalls,
    }));
    expect(figures).toEqual(
      tally.files.map(
        ({ name, size, punch_calls, punch_bytes, punch_union_bytes, alloc_calls }) => ({
          name,
          size,
          punch_calls,
          punch_bytes,
          punch_union_bytes,
          alloc_calls,
        }),
      ),
    );
    expect(report.failedCallsByName).toEqual(tally.failed);
    expect(report.memslotSets).toBe(tally.memslots_set + tally.memslots_deleted);
    expect(report.memslots.maxLive).toBe(tally.max_live_slots);
  });

  it('tells every punch: the union of the committed events is the punched union', () => {
    for (const file of report.files) {
      const union = new PageSet();
      for (const row of rows) {
        const punched = row.file === file.id && row.type === 'invalidate' && row.reason === 'punch';
        if (punched && row.consumer === null) union.add(row.start, row.end);
      }
      const pages = union.within(0, Infinity).reduce((sum, { start, end }) => sum + end - start, 0);
      expect(pages * 4096).toBe(file.punchedUnionBytes);
    }
  });

  it('tells consumers what is committed, in order, and the laws hold', () => {
    expect(report.violations).toEqual([]);
    for (const { name, file, notifications } of report.consumers) {
      const told = rows.filter((row) => row.consumer === name && row.file === file);
      expect({ name, told: told.length }).toEqual({ name, told: notifications });
    }
    let last = 0;
    const committed = new Map<number, EventRow>();
    const wrong = rows.filter((row) => {
      if (row.consumer === null) committed.set(row.position, row);
      const event = committed.get(row.position);
      const inOrder = row.position >= last;
      last = row.position;
      return !(
        inOrder &&
        event?.type === row.type &&
        event.reason === row.reason &&
        event.start <= row.start &&
        row.end <= event.end
      );
    });
    expect(wrong).toEqual([]);
    const punches = report.files.reduce((sum, { punchCalls }) => sum + punchCalls, 0);
    const kvm = report.consumers.filter(({ name }) => name.startsWith('kvm'));
    if (punches > 0 && kvm.length > 0) {
      for (const consumer of kvm) {
        expect(consumer.notifications).toBeGreaterThan(0);
        expect(consumer.zappedPages).toBeGreaterThan(0);
      }
    }
  });
});

describe('memfile run --device', () => {
  const trace = fixture('qemu-freepage-reporting-tcg.strace.gz');
  const report = (...options: string[]): RunReport => {
    const { code, out } = memfile('run', trace, '--json', ...options);
    expect(code).toBe(0);
    return JSON.parse(out);
  };

  it(
    'attaches a device to every file, and changes nothing of what the store did',
    { timeout: 60_000 },
    () => {
      const events = join(folder, 'device.jsonl');
      const [without, attached] = [report(), report('--device', '--events', events)];
      expect(without.device).toBeUndefined();
      expect(attached.files).toEqual(without.files);
      expect(attached.violations).toEqual([]);
      const { mappings, pages, refusals } = attached.device!;
      expect({ refusals, budget: mappings.budget }).toEqual({ refusals: 0, budget: 65_535 });
      const largest = attached.files.reduce(
        (most, file) => Math.max(most, file.peakAllocatedBytes),
        0,
      );
      expect(pages.peak * 4096).toBeGreaterThanOrEqual(largest);
      const held = attached.files.reduce((sum, file) => sum + file.allocatedBytes, 0);
      expect(pages.now * 4096).toBe(held);
      const device = attached.consumers.filter(({ name }) => name === 'device');
      expect(device).toHaveLength(attached.files.length);
      const rows = readFileSync(events, 'utf8').split('\n').slice(0, -1);
      const told = rows
        .map((row) => JSON.parse(row) as EventRow)
        .filter((row) => row.consumer === 'device');
      expect(told).toHaveLength(device.reduce((sum, { notifications }) => sum + notifications, 0));
      expect(new Set(told.map(({ type }) => type))).toContain('prepare');
    },
  );

  it('goes on when its budget is used up: what is refused is counted and does not arrive', () => {
    const path = join(folder, 'device.strace');
    const lines = ['memfd_create("a", 0) = 3', 'ftruncate(3, 65536) = 0'];
    // From the end to the start, so that no two pages have contiguous frames.
    for (let page = 15; page >= 0; page--) {
      lines.push(`fallocate(3, FALLOC_FL_KEEP_SIZE, ${page * 4096}, 4096) = 0`);
    }
    lines.push('fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 40960, 4096) = 0');
    const text = lines.map((line, i) => `1 10:00:00.0000${10 + i} ${line}\n`).join('');
    writeFileSync(path, text);
    const { code, out } = memfile('run', path, '--json', '--budget', '6');
    const { device, files, violationCount } = JSON.parse(out) as RunReport;
    expect({ code, violationCount }).toEqual({ code: 0, violationCount: 0 });
    expect(device).toEqual({
      mappings: { now: 5, peak: 6, budget: 6 },
      pages: { now: 5, peak: 6 },
      splits: 0,
      droppedPages: 0,
      refusals: 10,
    });
    expect(files[0]).toMatchObject({
      allocatedBytes: 5 * 4096,
      fallocateCalls: 16,
      freedBytes: 4096,
    });
    const printed = memfile('run', path, '--device', '--budget', '6').out;
    expect(printed).toContain('device: 5 mappings of 5 pages, at most 6 of 6 mappings');
    expect(printed).toContain('refused pages 10 times');
  });

  it.each(['many', '-1', '1.5', ''])('takes no budget of "%s"', (budget) => {
    const { code, err } = memfile('run', trace, '--device', '--budget', budget);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('--budget') });
  });
});

describe('memfile run', () => {
  it('prints for people what a VMM engineer asks', () => {
    const { code, out } = memfile('run', fixture('qemu-kvm-postcopy-shmem-src.strace.gz'));
    expect(code).toBe(0);
    expect(out).toMatch(/memory-backend-memfd +96 MiB .* 21700 /);
    expect(out).toMatch(/kvm 1 file 3 +3 +\d+ +24539/);
    expect(out).toContain('memslots: 25 set, 13 deleted, at most 6 at once');
    expect(out).toContain('1161 ioctl KVM_RUN');
    expect(out).toContain('assumed');
    expect(out).toContain('verdict: the laws hold');
  });

  it('says so when no punch zapped anything, and when there is none', () => {
    expect(memfile('run', fixture('qemu-boot-tcg.strace.gz')).out).toContain('punches nothing');
    expect(memfile('run', fixture('qemu-kvm-bios-hotplug.strace.gz')).out).toContain(
      'punches nothing',
    );
    const trace = join(folder, 'unmapped.strace');
    writeFileSync(
      trace,
      [
        '1 10:00:00.000001 memfd_create("a", 0) = 3',
        '1 10:00:00.000002 ftruncate(3, 8192) = 0',
        '1 10:00:00.000003 fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 8192) = 0',
        '',
      ].join('\n'),
    );
    const { code, out } = memfile('run', trace);
    expect(code).toBe(0);
    expect(out).toContain('no punch zapped anything');
  });

  it('tells a VM nothing more once its last descriptor is closed', () => {
    const trace = join(folder, 'destroyed.strace');
    const region =
      '{slot=0, flags=0, guest_phys_addr=0, memory_size=8192, userspace_addr=0x7f0000000000}';
    const slot = `ioctl(9, KVM_SET_USER_MEMORY_REGION, ${region}) = 0`;
    const punch = 'fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 8192) = 0';
    const lines = [
      'memfd_create("a", 0) = 3',
      'ftruncate(3, 8192) = 0',
      'mmap(NULL, 8192, PROT_READ, MAP_SHARED, 3, 0) = 0x7f0000000000',
      'ioctl(8, KVM_CREATE_VM, 0) = 9',
      slot,
      punch,
      'ioctl(8, KVM_CREATE_VM, 0) = 9',
      slot,
      punch,
    ];
    writeFileSync(trace, lines.map((line) => `1 10:00:00.000001 ${line}\n`).join(''));
    const { consumers } = JSON.parse(memfile('run', trace, '--json').out) as RunReport;
    // Pages arrive and leave at each punch, and leave once more when the file is closed.
    const zapped = { file: 1, zappedPages: 2 };
    expect(consumers).toMatchObject([
      { name: 'mapping 1', file: 1, zappedPages: 4 },
      { name: 'kvm 1 file 1', ...zapped, notifications: 3 },
      { name: 'kvm 2 file 1', ...zapped },
    ]);
  });

  it('ends at once when a long trace that is being read is not wanted after all', () => {
    const args = [main, 'run', fixture('qemu-kvm-postcopy-shmem-src.strace.gz'), '--record', 'x'];
    const { status, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(status).toBe(2);
    expect(stderr).toContain('--record takes one of');
  });

  it('says of hugetlb files that they run on shmem', () => {
    const { out } = memfile('run', fixture('qemu-kvm-postcopy-hugetlb-dst.strace.gz'));
    expect(out).toContain('memory-backend-memfd (hugetlb, run on shmem)');
  });

  it('gives the result of a log that is cut in the middle of a line, with a warning', () => {
    const whole = gunzipSync(readFileSync(fixture('qemu-freepage-reporting-tcg.strace.gz')));
    const trace = join(folder, 'cut.strace');
    writeFileSync(trace, whole.subarray(0, whole.length - 30_020));
    const { code, out, err } = memfile('run', trace, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ truncated: true, violations: [] });
    expect(err).toContain('cut short');
  });

  it('reads what another program writes to it', () => {
    const trace = fixture('qemu-kvm-postcopy-hugetlb-dst.strace.gz');
    const report = (text: string): object => {
      const { trace: _, ...rest } = JSON.parse(text) as { readonly trace: string };
      return rest;
    };
    const piped = spawnSync(
      'sh',
      ['-c', 'cat "$0" | "$1" "$2" run - --json', trace, process.execPath, main],
      {
        encoding: 'utf8',
      },
    );
    expect({ code: piped.status, err: piped.stderr }).toEqual({ code: 0, err: '' });
    expect(report(piped.stdout)).toEqual(report(memfile('run', trace, '--json').out));
  });

  it.each([
    ['no command', [], 'Usage: memfile'],
    ['an unknown command', ['walk'], "unknown command 'walk'"],
    ['no trace', ['run'], "missing required argument 'trace'"],
    ['an unknown option', ['run', 'x', '--colour'], "unknown option '--colour'"],
    ['a missing file', ['run', '/nonexistent/trace'], '/nonexistent/trace'],
    ['a directory', ['run', tmpdir()], tmpdir()],
    ['rubbish', ['run', fixture('../../dist/adapters/cli/main.js')], 'strace'],
    [
      'an unwritable events file',
      ['run', fixture('qemu-kvm-postcopy-hugetlb-dst.strace.gz'), '--events', '/nonexistent/e'],
      '/nonexistent/e',
    ],
  ])('exits with 2 for %s', (_, args, message) => {
    const { code, out, err } = memfile(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  const trace = (name: string, ...calls: readonly string[]): string => {
    const path = join(folder, name);
    const lines = calls.map((call, i) => `7 10:00:00.${String(i).padStart(6, '0')} ${call}\n`);
    writeFileSync(path, lines.join(''));
    return path;
  };

  it('counts calls that no kernel would have answered, and goes on', () => {
    const path = trace(
      'impossible.strace',
      'memfd_create("a", 0) = 3',
      'ftruncate(3, 40960) = 0',
      'mmap(NULL, 8192, PROT_READ, MAP_SHARED, 3, 100) = 0x7f0000000000',
      'fallocate(3, 0, 0, 8192) = 0',
    );
    const { code, out, err } = memfile('run', path, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const report = JSON.parse(out) as RunReport;
    expect(report.unknownCallsByName).toEqual({ 'map with impossible arguments': 1 });
    expect(report.files[0]).toMatchObject({ fallocateCalls: 1, peakAllocatedBytes: 8192 });
  });

  it('tells nobody of what lies past the end of a file', () => {
    const path = trace(
      'past-the-end.strace',
      'memfd_create("a", 0) = 3',
      'ftruncate(3, 8192) = 0',
      'mmap(NULL, 40960, PROT_READ, MAP_SHARED, 3, 0) = 0x7f0000000000',
      'fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 40960) = 0',
      'fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 8192, 8192) = 0',
    );
    const { report, rows } = run(path);
    const punched = rows.filter(({ reason }) => reason === 'punch');
    expect(punched.map(({ type, consumer, start, end }) => [type, consumer, start, end])).toEqual([
      ['invalidate', null, 0, 2],
      ['invalidate', 'mapping 1', 0, 2],
      ['invalidateEnd', null, 0, 2],
      ['invalidateEnd', 'mapping 1', 0, 2],
    ]);
    expect(report.files[0]).toMatchObject({ punchCalls: 2, punchedBytes: 49152, freedBytes: 8192 });
  });

  it('takes a file that was there before the trace to be as large as what is mapped of it', () => {
    const path = trace(
      'before.strace',
      'openat(AT_FDCWD, "/dev/shm/x", O_RDWR) = 3',
      'mmap(NULL, 40960, PROT_READ, MAP_SHARED, 3, 0) = 0x7f0000000000',
      'fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 8192) = 0',
    );
    const { report } = run(path);
    expect(report.files[0]).toMatchObject({
      name: '/dev/shm/x',
      sizeBytes: 40960,
      freedBytes: 8192,
    });
    expect(report.consumers[0]).toMatchObject({ zappedPages: 2 });
  });

  it('knows nothing of frames that nobody is there to hear of any more', () => {
    const file = (name: string, ...punches: readonly (readonly [number, number])[]): string[] => [
      `memfd_create("${name}", MFD_CLOEXEC) = 3`,
      'ftruncate(3, 4194304) = 0',
      'mmap(NULL, 4194304, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = 0x7f0000000000',
      ...punches.map(
        ([offset, length]) =>
          `fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, ${offset}, ${length}) = 0`,
      ),
      'munmap(0x7f0000000000, 4194304) = 0',
      'close(3) = 0',
    ];
    const path = trace(
      'reused-frames.strace',
      ...file('a', [4096, 4096], [0, 2097152], [2097152, 8192]),
      ...file('b', [2097152, 4096], [4096, 4096]),
    );
    const { code, out } = memfile('run', path, '--store', 'hugetlb:2M,pool=64');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('the laws hold') });
  });

  it('never writes over the trace, nor over anything when the input is bad', () => {
    const path = trace('self.strace', 'memfd_create("a", 0) = 3', 'ftruncate(3, 8192) = 0');
    const before = readFileSync(path, 'utf8');
    const outcome = memfile('run', path, '--events', path);
    expect(outcome).toMatchObject({ code: 2, err: expect.stringContaining('the input itself') });
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(memfile('run', '/nonexistent', '--events', path).code).toBe(2);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it.runIf(existsSync('/dev/full'))('says so when the disk is full', () => {
    const path = fixture('qemu-kvm-postcopy-hugetlb-dst.strace.gz');
    const outcome = memfile('run', path, '--events', '/dev/full');
    expect(outcome).toMatchObject({ code: 2, err: expect.stringContaining('ENOSPC') });
    expect(outcome.err).not.toContain('at ');
  });

  it('explains itself', () => {
    expect(memfile('--help')).toMatchObject({ code: 0, out: expect.stringContaining('run') });
    const help = memfile('run', '--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    for (const word of ['--json', '--events', '--store', 'Exit status', 'strace -f']) {
      expect(help.out).toContain(word);
    }
    expect(memfile('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
