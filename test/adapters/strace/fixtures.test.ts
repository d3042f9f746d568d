import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTrace } from '../../../adapters/strace/index.js';
import { tallyOf, type FileTally, type Tally } from './tally.js';

const folder = new URL('../../fixtures/', import.meta.url);
const pathOf = (file: string): string => fileURLToPath(new URL(file, folder));

interface Expected extends Omit<Tally, 'files'> {
  readonly file: string;
  readonly fallocate_on_untracked_fd: number;
  readonly ioctls: Record<string, number>;
  readonly files: (FileTally & { alloc_union_bytes: number; held_bytes: number })[];
}

const expectations = readFileSync(new URL('tally.jsonl', folder), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Expected);

test('every log has its tally', () => {
  expect(expectations.map(({ file }) => file).sort()).toEqual([
    'qemu-boot-tcg.strace.gz',
    'qemu-freepage-reporting-tcg.strace.gz',
    'qemu-kvm-bios-hotplug.strace.gz',
    'qemu-kvm-postcopy-hugetlb-dst.strace.gz',
    'qemu-kvm-postcopy-shmem-src.strace.gz',
    'qemu-migrate-file-tcg.strace.gz',
    'stressng-memfd.strace.gz',
    'virtiofsd-peer.strace.gz',
  ]);
});

describe.each(expectations)('$file', (expected) => {
  test('gives what the independent tally counted', async () => {
    const trace = readTrace(pathOf(expected.file));
    const actual = await tallyOf(trace);
    // toMatchObject on lists of files wants as many, in the same order.
    expect({ ...expected }).toMatchObject({ ...actual });
    expect(trace.summary.truncated).toBe(false);
    expect(trace.summary.unparsedLines).toBe(0);
    expect(trace.summary.bytesRead).toBe(trace.summary.bytesTotal);
  });

  test('counts the ioctls it does not know, one by one', async () => {
    const trace = readTrace(pathOf(expected.file));
    await tallyOf(trace);
    const known = new Set(['KVM_SET_USER_MEMORY_REGION', 'KVM_CREATE_VM', 'KVM_CREATE_VCPU']);
    const listed = Object.entries(expected.ioctls).filter(
      ([name]) => !name.endsWith(' failed') && !known.has(name),
    );
    const actual = listed.map(([name]) => [name, trace.summary.unknownCalls.get(`ioctl ${name}`)]);
    expect(actual).toEqual(listed);
  });
});
