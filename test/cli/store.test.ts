import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../adapters/cli/run-trace.js';
import { fixture, memfile } from './memfile.js';

const MIB = 2 ** 20;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'memfile-store-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(trace: string, store: string): RunReport {
  const { code, out } = memfile('run', trace, '--json', '--store', store);
  expect(code).toBe(0);
  const report = JSON.parse(out) as RunReport;
  expect(report).toMatchObject({ store, violations: [] });
  return report;
}

/** A trace of a file of so many bytes that is mapped as a whole, and what is done to it then. */
function trace(bytes: number, ...calls: readonly string[]): string {
  const all = [
    'memfd_create("ram", 0) = 3',
    `ftruncate(3, ${bytes}) = 0`,
    `mmap(NULL, ${bytes}, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = 0x7f0000000000`,
    ...calls,
  ];
  const path = join(folder, 'trace.strace');
  const lines = all.map((call, i) => `7 10:00:00.${String(i).padStart(6, '0')} ${call}\n`);
  writeFileSync(path, lines.join(''));
  return path;
}

const punch = (offset: number, length: number): string =>
  `fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, ${offset}, ${length}) = 0`;

describe('memfile run --store hugetlb', () => {
  it('frees nothing where every punch is 4 KiB', () => {
    const punches = Array.from({ length: 512 }, (_, page) => punch(page * 4096, 4096));
    const path = trace(4 * MIB, ...punches);
    expect(run(path, 'hugetlb:2M,pool=64').files[0]).toMatchObject({
      punchedBytes: 2 * MIB,
      punchedUnionBytes: 2 * MIB,
      freedSumBytes: 0,
      freedBytes: 0,
      allocatedBytes: 2 * MIB,
      peakAllocatedBytes: 2 * MIB,
    });
    expect(run(path, 'shmem').files[0]).toMatchObject({ freedSumBytes: 2 * MIB });
  });

  it('frees what was punched where every punch is of whole huge pages', () => {
    const path = trace(8 * MIB, punch(0, 2 * MIB), punch(4 * MIB, 4 * MIB));
    expect(run(path, 'hugetlb:2M,pool=64').files[0]).toMatchObject({
      punchedUnionBytes: 6 * MIB,
      freedSumBytes: 6 * MIB,
      freedBytes: 6 * MIB,
      peakAllocatedBytes: 4 * MIB,
    });
  });

  it('rounds a punch in, and counts twice what left twice', () => {
    const path = trace(8 * MIB, punch(MIB, 4 * MIB), punch(2 * MIB, 2 * MIB));
    expect(run(path, 'hugetlb:2M,pool=64').files[0]).toMatchObject({
      punchedUnionBytes: 4 * MIB,
      freedSumBytes: 4 * MIB,
      freedBytes: 2 * MIB,
      peakAllocatedBytes: 6 * MIB,
    });
  });

  it('goes on when the pool is used up, and says so', () => {
    const path = trace(
      16 * MIB,
      `fallocate(3, 0, 0, ${6 * MIB}) = 0`,
      punch(0, 16 * MIB),
      `fallocate(3, 0, 0, ${4 * MIB}) = 0`,
    );
    const { files, refused, consumers } = run(path, 'hugetlb:2M,pool=2');
    expect(files[0]).toMatchObject({
      fallocateCalls: 2,
      freedSumBytes: 4 * MIB,
      allocatedBytes: 4 * MIB,
      peakAllocatedBytes: 4 * MIB,
    });
    // Six huge pages of the punch could not be touched before it.
    expect(refused).toEqual({
      ENOSPC: { faults: 6, fallocates: 1, first: { position: 6, file: 1, page: 0 } },
    });
    expect(consumers[0]).toMatchObject({ zappedPages: 1024 });
    const { out } = memfile('run', path, '--store', 'hugetlb:2M,pool=2');
    expect(out).toContain('store: hugetlb:2M,pool=2\n');
    expect(out).toContain(
      'refused with ENOSPC: 6 faults, 1 fallocates; first at page 0 of file 1, after event 6',
    );
  });

  it('rounds sizes up to huge pages, and says so', () => {
    const path = trace(3 * MIB, punch(0, 3 * MIB));
    expect(run(path, 'hugetlb:2M,pool=4').files[0]).toMatchObject({
      sizeBytes: 3 * MIB,
      roundedBytes: 4 * MIB,
      freedSumBytes: 2 * MIB,
    });
    expect(run(path, 'hugetlb:1G,pool=1').files[0]).toMatchObject({
      roundedBytes: 1024 * MIB,
      freedSumBytes: 0,
      peakAllocatedBytes: 1024 * MIB,
    });
    expect(memfile('run', path, '--store', 'hugetlb:2M,pool=4').out).toContain(
      '3 MiB, rounded to 4 MiB',
    );
  });

  const freepages = fixture('qemu-freepage-reporting-tcg.strace.gz');

  it('frees in a recorded run the huge pages that lie inside its punches', () => {
    const size = 2 * MIB;
    const left: number[] = [];
    const log = gunzipSync(readFileSync(freepages)).toString('latin1');
    for (const [, offset, length] of log.matchAll(/PUNCH_HOLE, (\d+), (\d+)\) = 0/g)) {
      const end = Math.floor((Number(offset) + Number(length)) / size);
      for (let at = Math.ceil(Number(offset) / size); at < end; at++) left.push(at);
    }
    expect(left.length).toBeGreaterThan(300);
    const { files, refused } = run(freepages, 'hugetlb:2M,pool=64');
    expect(refused).toEqual({});
    expect(files[2]).toMatchObject({
      punchCalls: 202,
      freedSumBytes: left.length * size,
      freedBytes: new Set(left).size * size,
    });
  });

  it('never has more than its pool, in a recorded run too', () => {
    const { files, refused } = run(freepages, 'hugetlb:2M,pool=1');
    const { peakAllocatedBytes, freedSumBytes, punchedBytes } = files[2]!;
    expect(peakAllocatedBytes).toBe(2 * MIB);
    expect(refused['ENOSPC']).toMatchObject({ fallocates: 0, first: { file: 3 } });
    // Its punches are of whole huge pages: what was not refused was freed.
    expect(freedSumBytes + refused['ENOSPC']!.faults * 2 * MIB).toBe(punchedBytes);
  });

  it('runs hugetlb files on hugetlb', () => {
    const path = fixture('qemu-kvm-postcopy-hugetlb-dst.strace.gz');
    const { out } = memfile('run', path, '--store', 'hugetlb:2M,pool=64');
    expect(out).not.toContain('run on shmem');
    expect(out).toMatch(/memory-backend-memfd +64 MiB +0 B +64 MiB +2 +66 MiB +64 MiB +64 MiB/);
  });

  it.each(['', 'hugetlb:2M', 'hugetlb:4M,pool=1', 'hugetlb:2M,pool=-1'])(
    'exits with 2 for --store "%s"',
    (store) => {
      const { code, out, err } = memfile(
        'run',
        fixture('qemu-boot-tcg.strace.gz'),
        '--store',
        store,
      );
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('It must be shmem, hugetlb:2M,pool=N or hugetlb:1G,pool=N');
    },
  );
});
