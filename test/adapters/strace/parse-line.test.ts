import { describe, expect, test } from 'vitest';
import { parseLine } from '../../../adapters/strace/parse-line.js';

function parsed(line: string): unknown {
  const found = parseLine(Buffer.from(line, 'latin1'), 0, line.length);
  if (found?.type !== 'call') return found;
  const { tid, name, bytes, from, to, result, errno } = found;
  return { tid, name, args: Buffer.from(bytes).toString('latin1', from, to), result, errno };
}

describe('columns in front of a call', () => {
  test.each([
    ['4711 close(3) = 0', 4711],
    ['4711  15:41:30 close(3) = 0', 4711],
    ['4711 15:41:30.206238 close(3)          = 0', 4711],
    ['4711 1795362172.889538 close(3) = 0', 4711],
    ['4711      0.000123 close(3) = 0', 4711],
    ['[pid 4711] close(3) = 0', 4711],
    ['[pid  4711] 15:41:30 close(3) = 0', 4711],
    ['4711 15:41:30 (+     0.000050) close(3) = 0', 4711],
    ['4711 [00007f3c9b2d1e4a] close(3) = 0', 4711],
    ['close(3) = 0', 0],
    ['15:41:30.206238 close(3) = 0', 0],
    ['1795362172.889538 close(3) = 0', 0],
    ['1795362172 close(3) = 0', 0],
    ['     0.000050 close(3) = 0', 0],
    ['4711 close(3) = 0 <0.000031>', 4711],
  ])('%s', (line, tid) => {
    expect(parsed(line)).toEqual({ tid, name: 'close', args: '3', result: 0, errno: undefined });
  });
});

describe('results', () => {
  test.each([
    ['mmap(NULL, 1) = 0x7f2fced35000', 0x7f2fced35000, undefined],
    ['madvise(0x1, 1, 0) = -1 EINVAL (Invalid argument)', -1, 'EINVAL'],
    ['madvise(0x1, 1, 0) = -1 EINVAL (Invalid argument) <0.000012>', -1, 'EINVAL'],
    ['exit_group(0) = ?', NaN, undefined],
    ['nanosleep(0x1) = ? ERESTARTSYS (To be restarted)', NaN, 'ERESTARTSYS'],
    ['poll(0x1, 1, 0) = 0 (Timeout)', 0, undefined],
    ['memfd_create("a", 0) = 3</memfd:a>(deleted)', 3, undefined],
    ['memfd_create("a", 0) = 3</memfd:a>(deleted) <0.000093>', 3, undefined],
    ['memfd_create("a) = 9", 0) = 3</memfd:a) = 9>(deleted)', 3, undefined],
  ])('%s', (line, result, errno) => {
    expect(parsed(line)).toMatchObject({ result, errno });
  });
});

describe('arguments that look like the end of a call', () => {
  test.each([
    ['"a) = 0"'],
    ['"a <unfinished ...>"'],
    ['"a\\") = 1 \\\\"'],
    ['8</memfd:a) = 1>(deleted), "<"'],
    ['8<socket:[1]>, {a="}", b=[1, 2]}'],
    ['3<TCP:[127.0.0.1:1->127.0.0.1:2]>, "x"'],
    ['3</dev/kvm<char 10:232>>, KVM_RUN, 0'],
    ['3, _IOC(_IOC_READ|_IOC_WRITE, 0xae, 0x4, 0x8), 0'],
    ['"a", 21<<MFD_HUGE_SHIFT'],
  ])('%s', (args) => {
    expect(parsed(`7 call(${args}) = 5`)).toMatchObject({ args, result: 5 });
    expect(parsed(`7 call(${args}) = 5 <0.000001>`)).toMatchObject({ args, result: 5 });
  });
});

describe('calls in two lines', () => {
  test.each([
    ['7 close(3 <unfinished ...>', { type: 'unfinished', tid: 7, name: 'close', args: '3' }],
    [
      '7 futex(0x1, 2 <detached ...>',
      { type: 'unfinished', tid: 7, name: 'futex', args: '0x1, 2' },
    ],
    [
      '7 read(5,  <unfinished ...>) = ?',
      { type: 'unfinished', tid: 7, name: 'read', args: '5,  ' },
    ],
    ['7 <... close resumed>) = 0', { type: 'resumed', tid: 7, name: 'close', rest: ') = 0' }],
    ['7 <... close resumed> ) = 0', { type: 'resumed', tid: 7, name: 'close', rest: ' ) = 0' }],
  ])('%s', (line, expected) => {
    expect(parsed(line)).toEqual(expected);
  });
});

test.each([
  ['7 +++ exited with 0 +++', 'exit'],
  ['[pid 7] +++ killed by SIGKILL (core dumped) +++', 'exit'],
  ['7 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---', 'signal'],
  ['7 --- stopped by SIGSTOP ---', 'signal'],
  ['7 +++ superseded by execve in pid 9 +++', 'signal'],
  ['strace: Process 4712 attached', 'remark'],
  ['[pid 7] strace: Process 4712 attached', 'remark'],
  ['[ Process PID=7 runs in 32 bit mode. ]', 'remark'],
])('%s is no call', (line, type) => {
  expect(parsed(line)).toMatchObject({ type });
});

test.each([
  [''],
  ['7'],
  ['hello, world'],
  ['--- a/file.c'],
  ['+++ b/file.c'],
  ['7 close(3'],
  ['7 close(3)'],
  ['7 close(3) = '],
  ['7 close(3) = zero'],
  ['7 memfd_create("a'],
  ['[unclosed close(3) = 0'],
  ['12ab close(3) = 0'],
])('%j is none of strace', (line) => {
  expect(parsed(line)).toBeUndefined();
});

test('reads only the stretch it is given', () => {
  const text = 'x\n7 close(3) = 0\n8 close(4) = 5\n';
  const found = parseLine(Buffer.from(text), 2, text.indexOf('\n', 2));
  expect(found).toMatchObject({ type: 'call', tid: 7, result: 0 });
});
