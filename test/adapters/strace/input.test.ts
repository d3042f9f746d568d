import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readTrace, TraceError } from '../../../adapters/strace/index.js';
import { collect, logFile, temporaryFolder } from './logs.js';

const LINES = [
  '7 memfd_create("ram", 0) = 3',
  ...Array.from({ length: 500 }, (_, at) => `7 ftruncate(3, ${(at + 1) * 4096}) = 0`),
  '7 +++ exited with 0 +++',
];
const LOG = LINES.map((line) => `${line}\n`).join('');

async function failure(path: string): Promise<TraceError> {
  const error: unknown = await collect(readTrace(path)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TraceError)) throw new Error(`no TraceError: ${String(error)}`);
  return error;
}

async function resizes(path: string) {
  const trace = readTrace(path);
  const actions = await collect(trace);
  return { count: actions.filter(({ type }) => type === 'resize').length, ...trace.summary };
}

describe('whole logs', () => {
  test.each([
    ['plain', 'run.strace', LOG],
    ['plain, called .gz', 'run.strace.gz', LOG],
    ['gzip', 'run.strace.gz', gzipSync(LOG)],
    ['gzip, called .txt', 'run.txt', gzipSync(LOG)],
    [
      'two gzip members',
      'run.gz',
      Buffer.concat([gzipSync(LOG.slice(0, 99)), gzipSync(LOG.slice(99))]),
    ],
    [
      'gzip with rubbish behind it',
      'run.gz',
      Buffer.concat([gzipSync(LOG), Buffer.alloc(100_000)]),
    ],
    ['CRLF', 'run.txt', LOG.replaceAll('\n', '\r\n')],
  ])('%s', async (_kind, name, content) => {
    const result = await resizes(logFile(content, name));
    expect(result).toMatchObject({ count: 500, calls: 501, lines: 502, unparsedLines: 0 });
    expect(result.truncated).toBe(false);
  });

  test('progress reaches the size of the file', async () => {
    const content = gzipSync(LOG);
    const { bytesRead, bytesTotal } = await resizes(logFile(content));
    expect([bytesRead, bytesTotal]).toEqual([content.length, content.length]);
  });
});

describe('logs cut short', () => {
  test('in the middle of a line', async () => {
    const result = await resizes(logFile(LOG.slice(0, LOG.indexOf('7 ftruncate(3, 40960)') + 15)));
    expect(result).toMatchObject({ count: 9, truncated: true, unparsedLines: 0 });
  });

  test('only the last line end is missing: the line counts', async () => {
    const result = await resizes(logFile('7 memfd_create("ram", 0) = 3\n7 ftruncate(3, 1) = 0'));
    expect(result).toMatchObject({ count: 1, truncated: true, calls: 2 });
  });

  test('inside the name of an error: it is not counted under half a name', async () => {
    const result = await resizes(logFile('7 close(3) = 0\n7 close(4) = -1 EBA'));
    expect(result.failedCalls.size).toBe(0);
    expect(result.truncated).toBe(true);
  });

  test('a gzip stream gives all that can be read, wherever it is cut', async () => {
    const compressed = gzipSync(LOG);
    const half = await resizes(logFile(compressed.subarray(0, compressed.length >> 1)));
    expect(half.truncated).toBe(true);
    expect(half.count).toBeGreaterThan(100);
    const almost = await resizes(logFile(compressed.subarray(0, -1)));
    expect(almost).toMatchObject({ count: 500, truncated: true });
  });
});

describe('bad input', () => {
  test('a missing file', async () => {
    const path = join(temporaryFolder(), 'missing');
    const error = await failure(path);
    expect(error.code).toBe('ENOENT');
    expect(error.message).toContain(path);
  });

  test('a directory', async () => {
    const path = temporaryFolder();
    const error = await failure(path);
    expect(error.code).toBe('EISDIR');
    expect(error.message).toContain('directory');
  });

  test.each([
    ['nothing', ''],
    ['blank lines', '\n\n  \n'],
    ['nothing, compressed', gzipSync('')],
    ['the first bytes of a gzip stream', gzipSync(LOG).subarray(0, 12)],
  ])('%s', async (_kind, content) => {
    expect((await failure(logFile(content))).code).toBe('EMPTY');
  });

  test.each([
    ['text', 'Hello!\u001b[2J\nThis is a letter.\n', 'Hello!\\x1b[2J'],
    ['a diff', '--- a/x\n+++ b/x\n@@ -1 +1 @@\n', '--- a/x'],
    ['one long line', 'x'.repeat(3_000_000), 'xxxxx'],
    [
      'binary rubbish',
      Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) & 255)),
      '\\x',
    ],
    ['compressed rubbish', gzipSync('no\nlog\n'), 'no'],
  ])('%s is no strace log', async (_kind, content, shown) => {
    const error = await failure(logFile(content));
    expect(error.code).toBe('NOT_STRACE');
    expect(error.message).toContain(shown);
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
  });

  test('is found out early', async () => {
    const trace = readTrace(logFile('a letter\n'.repeat(200_000)));
    await expect(collect(trace)).rejects.toMatchObject({ code: 'NOT_STRACE' });
    expect(trace.summary.lines).toBe(1000);
  });

  test('a gzip stream with a wrong checksum', async () => {
    const content = gzipSync(LOG.repeat(20));
    content.writeUInt8((content[content.length - 6] ?? 0) ^ 255, content.length - 6);
    const error = await failure(logFile(content));
    expect(error.code).toBe('CORRUPT');
    const line = Number(/after line (\d+)/.exec(error.message)?.[1]);
    // What one inflated chunk of 64 KiB holds may be lost with it.
    expect(line).toBeGreaterThan(20 * 502 - 4000);
  });

  test('a gzip stream with bad data', async () => {
    const content = gzipSync(LOG);
    content.fill(0xff, 40, 60);
    expect((await failure(logFile(content))).code).toBe('CORRUPT');
  });
});

test('a line over 1 MiB is counted as unparsed and the next one is read', async () => {
  const long = `7 write(1, "${'x'.repeat(2_500_000)}", 2500000) = 2500000\n`;
  const result = await resizes(logFile(`${LOG}${long}7 close(3) = 0\n`));
  expect(result).toMatchObject({ count: 500, unparsedLines: 1, lines: 504, calls: 502 });
});

test('a trace is read once', async () => {
  const trace = readTrace(logFile(LOG));
  await collect(trace);
  await expect(collect(trace)).rejects.toThrow('call readTrace again');
});

test('stopping early leaves nothing open', async () => {
  const trace = readTrace(logFile(LOG.repeat(50)));
  for await (const batch of trace) {
    expect(batch.length).toBeGreaterThan(0);
    break;
  }
  expect(trace.summary.bytesRead).toBeGreaterThan(0);
});
