import { describe, expect, test } from 'vitest';
import { actionsOf, collect, traceOf } from './logs.js';

const CREATE = { type: 'create', file: 1, name: 'a', flags: '0', hugetlb: false };

describe('calls in two lines', () => {
  test('take effect when they complete, in the order they complete', async () => {
    const actions = await actionsOf([
      '1 memfd_create("a", 0 <unfinished ...>',
      '2 brk(NULL) = 0x1000',
      '1 <... memfd_create resumed>) = 3',
      '1 fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 4096 <unfinished ...>',
      '2 fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 4096, <unfinished ...>',
      '3 ftruncate(3, 5 <unfinished ...>',
      '2 <... fallocate resumed> 8192) = 0 <0.000010>',
      '3 <... ftruncate resumed>) = -1 EINVAL (Invalid argument)',
      '1 <... fallocate resumed>) = 0',
    ]);
    expect(actions.slice(0, 3)).toEqual([
      CREATE,
      { type: 'punch', file: 1, offset: 4096, length: 8192 },
      { type: 'punch', file: 1, offset: 0, length: 4096 },
    ]);
  });

  test('an interruption in the middle of the arguments, with a string in each half', async () => {
    const actions = await actionsOf([
      '1 openat(AT_FDCWD, "/dev/shm/x <unfinished ...>", O_RDWR <unfinished ...>',
      '1 --- SIGUSR1 {si_signo=SIGUSR1} ---',
      '1 <... openat resumed>) = 4',
    ]);
    expect(actions[0]).toMatchObject({ type: 'create', name: '/dev/shm/x <unfinished ...>' });
  });

  test('those that never return are counted and have no effect', async () => {
    const trace = traceOf([
      '1 close(3) = 0',
      '1 memfd_create("a", 0 <unfinished ...>',
      '2 memfd_create("b", 0 <unfinished ...>',
      '2 +++ killed by SIGKILL +++',
      '3 read(5,  <unfinished ...>) = ?',
      '3 +++ exited with 0 +++',
      '4 <... mmap resumed>) = 0x1000',
    ]);
    expect(await collect(trace)).toEqual([]);
    expect(trace.summary).toMatchObject({ calls: 1, neverResumed: 3, unparsedLines: 1 });
  });
});

test('failed calls change nothing and are counted by name and errno', async () => {
  const trace = traceOf([
    'memfd_create("a", MFD_HUGETLB) = -1 EINVAL (Invalid argument)',
    'memfd_create("a", 0) = 3',
    'close(3) = -1 EINTR (Interrupted system call)',
    'fallocate(3, 0, 0, 4096) = -1 ENOSPC (No space left on device)',
    'fallocate(3, 0, 0, 4096) = -1 ENOSPC (No space left on device)',
  ]);
  const actions = await collect(trace);
  expect(actions.map(({ type }) => type)).toEqual(['create', 'release']);
  expect(Object.fromEntries(trace.summary.failedCalls)).toEqual({
    'memfd_create EINVAL': 1,
    'close EINTR': 1,
    'fallocate ENOSPC': 2,
  });
});

test('what is not understood is counted by name', async () => {
  const trace = traceOf([
    'recvmsg(5, {msg_name=NULL, msg_iov=[{iov_base="\\1\\0", iov_len=12}]}, 0) = 12',
    'ioctl(8, KVM_RUN, 0) = 0',
    'ioctl(8, _IOC(_IOC_WRITE, 0xae, 0x49, 0xa0), 0x7ffe) = 0',
    'memfd_create("a", 0) = 3',
    'fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_ZERO_RANGE, 0, 1) = 0',
    'fallocate(3, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) = 0',
    'fallocate(3, 0x3, 0, 4096) = 0',
    'ftruncate(3, 9223372036854775807) = 0',
    'ftruncate(3, 10) = ? ERESTARTSYS (To be restarted)',
    'mmap(NULL, 4096, PROT_READ, MAP_SHARED, 9, 0) = 0x7f0000000000',
    'madvise(0x7f0000000000, 4096, 0x63 /* MADV_??? */) = 0',
    'fcntl(3, F_ADD_SEALS, F_SEAL_SHRINK) = 0',
    'exit_group(0) = ?',
  ]);
  const types = (await collect(trace)).map(({ type }) => type);
  expect(types).toEqual(['create', 'release']);
  expect(Object.fromEntries(trace.summary.unknownCalls)).toEqual({
    recvmsg: 1,
    'ioctl KVM_RUN': 1,
    'ioctl _IOC(_IOC_WRITE, 0xae, 0x49, 0xa0)': 1,
    'fallocate FALLOC_FL_ZERO_RANGE': 1,
    'fallocate FALLOC_FL_COLLAPSE_RANGE': 1,
    'fallocate 0x3': 1,
    'ftruncate with unreadable arguments': 1,
    'ftruncate ERESTARTSYS': 1,
    'mmap MAP_SHARED of an unknown descriptor': 1,
    'madvise 0x63 /* MADV_??? */': 1,
    'fcntl F_ADD_SEALS': 1,
  });
});

test('a flood of different names takes no memory without bound', async () => {
  const lines = Array.from({ length: 3000 }, (_, at) => `ioctl(8, ${at + 7}, 0) = 0`);
  const trace = traceOf(lines);
  await collect(trace);
  expect(trace.summary.unknownCalls.size).toBeLessThanOrEqual(1001);
  const counted = [...trace.summary.unknownCalls.values()].reduce((sum, calls) => sum + calls, 0);
  expect(counted).toBe(3000);
});
