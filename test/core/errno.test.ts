import { constants } from 'node:os';
import { stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { asMemfileError, messageOf } from '../../core/errno.js';
import { ERRNO, MemfileError, type ErrnoCode } from '../../core/index.js';

const CODES = Object.keys(ERRNO) as ErrnoCode[];

describe.each(CODES)('MemfileError %s', (code) => {
  const error = new MemfileError(code, 'punchHole', 'page 3 of "ram"');

  it('carries the errno of Linux, negated, as Node does', () => {
    expect(error.code).toBe(code);
    expect(error.errno).toBe(-ERRNO[code].errno);
    expect(error.errno).toBeLessThan(0);
  });

  // Elsewhere the numbers differ; the table is that of Linux everywhere.
  it.runIf(process.platform === 'linux')('has the number that this system has', () => {
    expect(error.errno).toBe(-(numbers[code] ?? NaN));
  });

  it('begins its message with the code and names the call, the text and the detail', () => {
    expect(error.message).toBe(`${code}: ${ERRNO[code].text}, punchHole: page 3 of "ram"`);
    expect(error.syscall).toBe('punchHole');
    expect(String(error)).toBe(`MemfileError: ${error.message}`);
  });

  it('is an Error that did nothing, unless it says so', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('MemfileError');
    expect(error.effect).toBe('none');
    expect('cause' in error).toBe(false);
    for (const effect of ['none', 'partial', 'done'] as const) {
      expect(new MemfileError(code, 'punchHole', '', { effect }).effect).toBe(effect);
    }
  });

  it('keeps its cause, even when that is undefined', () => {
    const cause = new Error('boom');
    expect(new MemfileError(code, 'punchHole', '', { cause }).cause).toBe(cause);
    expect('cause' in new MemfileError(code, 'punchHole', '', { cause: undefined })).toBe(true);
  });

  it('has a cause and a cure for people to read', () => {
    expect(ERRNO[code].cause).toMatch(/\w/);
    expect(ERRNO[code].cure).toMatch(/\w/);
  });
});

/** What this system calls them; Node leaves out what few programs ever see. */
const numbers: Readonly<Record<string, number>> = { EHWPOISON: 133, ...constants.errno };

describe('the table of errors', () => {
  it('has every number once', () => {
    const numbers = CODES.map((code) => ERRNO[code].errno);
    expect(new Set(numbers).size).toBe(CODES.length);
  });

  it('makes errors of the shape of a system error of Node', async () => {
    const system: unknown = await stat('/there/is/no/such/file').catch((error: unknown) => error);
    const ours = new MemfileError('ENOENT', 'stat', 'there is no such file');
    expect(system).toMatchObject({ code: ours.code, syscall: ours.syscall });
    const { errno, message } = system as { errno: number; message: string };
    expect(Math.sign(errno)).toBe(Math.sign(ours.errno));
    expect(message).toMatch(/^ENOENT: [^,]+, stat/);
    expect(ours.message).toMatch(/^ENOENT: [^,]+, stat/);
  });
});

describe('asMemfileError', () => {
  it.each([['text'], [42], [undefined], [null], [{}]])('wraps %s as EIO', (thrown) => {
    const error = asMemfileError(thrown, 'fallocate', 'store "wasm"');
    expect(error).toMatchObject({ code: 'EIO', syscall: 'fallocate', effect: 'none' });
    expect(error.cause).toBe(thrown);
    expect(error.message).toContain(`store "wasm" failed: ${String(thrown)}`);
  });

  it('names the message of an Error, and passes its own through', () => {
    const boom = new Error('boom');
    const wrapped = asMemfileError(boom, 'fallocate', 'store "wasm"');
    expect(wrapped.message).toBe('EIO: input/output error, fallocate: store "wasm" failed: boom');
    expect(asMemfileError(wrapped, 'punchHole', 'somebody')).toBe(wrapped);
    expect(messageOf(boom)).toBe('boom');
  });
});
