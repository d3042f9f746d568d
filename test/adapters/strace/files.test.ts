import { describe, expect, test } from 'vitest';
import { actionsOf, collect, traceOf } from './logs.js';

const create = (file: number, name: string, flags = '0') => ({
  type: 'create',
  file,
  name,
  flags,
  hugetlb: flags.includes('HUGETLB'),
});

describe('memory files', () => {
  test('sizes, allocations and punches', async () => {
    const flags = 'MFD_CLOEXEC|MFD_HUGETLB|21<<MFD_HUGE_SHIFT';
    const actions = await actionsOf([
      `memfd_create("ram", ${flags}) = 3`,
      'ftruncate(3, 4194304) = 0',
      'fallocate(3, 0, 0, 4096) = 0',
      'fallocate(3, FALLOC_FL_KEEP_SIZE, 0x1000, 4096) = 0',
      'fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 1, 2) = 0',
    ]);
    expect(actions).toEqual([
      create(1, 'ram', flags),
      { type: 'resize', file: 1, bytes: 4194304 },
      { type: 'allocate', file: 1, offset: 0, length: 4096, keepSize: false },
      { type: 'allocate', file: 1, offset: 4096, length: 4096, keepSize: true },
      { type: 'punch', file: 1, offset: 1, length: 2 },
      { type: 'release', file: 1 },
    ]);
  });

  test('below /dev/shm: the same file while it is open, another one afterwards', async () => {
    const actions = await actionsOf([
      'openat(AT_FDCWD, "/dev/shm/a", O_RDWR|O_CREAT, 0600) = 3',
      'open("/dev/shm/a", O_RDONLY) = 4',
      'close(3) = 0',
      'ftruncate(4, 1) = 0',
      'close(4) = 0',
      'openat2(AT_FDCWD, "/dev/shm/a", {flags=O_RDWR, resolve=0}, 24) = 3',
      'open("/tmp/a", O_RDWR) = 5',
      'openat(AT_FDCWD, "/dev/shm", O_RDONLY|O_DIRECTORY) = 6',
    ]);
    expect(actions).toEqual([
      create(1, '/dev/shm/a', 'O_RDWR|O_CREAT'),
      { type: 'resize', file: 1, bytes: 1 },
      { type: 'release', file: 1 },
      create(2, '/dev/shm/a', 'O_RDWR'),
      { type: 'release', file: 2 },
    ]);
  });

  test('a descriptor given out again is another file, though its close was not logged', async () => {
    const actions = await actionsOf(['memfd_create("a", 0) = 3', 'memfd_create("b", 0) = 3']);
    expect(actions).toEqual([
      create(1, 'a'),
      create(2, 'b'),
      { type: 'release', file: 1 },
      { type: 'release', file: 2 },
    ]);
  });

  test('copies of a descriptor keep the file', async () => {
    const actions = await actionsOf([
      'memfd_create("a", 0) = 3',
      'dup(3) = 4',
      'dup2(4, 9) = 9',
      'dup3(9, 10, O_CLOEXEC) = 10',
      'fcntl(10, F_DUPFD_CLOEXEC, 20) = 20',
      'close_range(3, 10, 0) = 0',
      'ftruncate(20, 7) = 0',
      'ftruncate(10, 8) = 0',
      'close(20) = 0',
    ]);
    expect(actions).toEqual([
      create(1, 'a'),
      { type: 'resize', file: 1, bytes: 7 },
      { type: 'release', file: 1 },
    ]);
  });

  test('calls on other descriptors are counted as untracked', async () => {
    const trace = traceOf(['ftruncate(3, 0) = 0', 'fallocate(4, 0, 0, 1) = 0', 'close(3) = 0']);
    expect(await collect(trace)).toEqual([]);
    expect(trace.summary.untracked).toBe(2);
    expect(trace.summary.unknownCalls.size).toBe(0);
  });
});

describe('-y', () => {
  test('a descriptor that names another file is not ours', async () => {
    const trace = traceOf([
      '1 memfd_create("a", 0) = 3</memfd:a>(deleted)',
      '2 close(3</etc/ld.so.cache>) = 0',
      '2 ftruncate(3</tmp/x>, 5) = 0',
      '2 mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3</usr/lib/x>, 0) = 0x1000',
      '1 ftruncate(3</memfd:a>(deleted), 6) = 0',
    ]);
    const actions = await collect(trace);
    expect(actions).toEqual([
      create(1, 'a'),
      { type: 'resize', file: 1, bytes: 6 },
      { type: 'release', file: 1 },
    ]);
    expect(trace.summary.untracked).toBe(1);
    expect(trace.summary.unknownCalls.size).toBe(0);
  });
});
