import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { actionsOf } from './logs.js';

const SHORT: Readonly<Record<number, string>> = {
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** A byte string as strace prints it: short escapes, printable ASCII, octal for the rest. */
function encoded(bytes: Uint8Array): string {
  return [...bytes]
    .map((byte, at) => {
      const short = SHORT[byte];
      if (short) return short;
      if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
      const next = bytes[at + 1] ?? 0;
      const digitFollows = next >= 0x30 && next <= 0x39;
      return `\\${byte.toString(8).padStart(digitFollows ? 3 : 1, '0')}`;
    })
    .join('');
}

/** The name in a descriptor's annotation: without quotes, and with angle brackets escaped. */
function annotated(bytes: Uint8Array): string {
  return encoded(bytes).replaceAll('<', '\\74').replaceAll('>', '\\76');
}

const nasty = fc.constantFrom(
  ') = 0',
  ' <unfinished ...>',
  '", 0) = 7',
  ', ',
  '\\',
  '"',
  '>(deleted)',
  '<... close resumed>',
  '{',
  ']',
);
const names = fc
  .array(
    fc.oneof(
      nasty.map((text) => Buffer.from(text)),
      fc.uint8Array({ min: 1, maxLength: 8 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

test('any name survives, plain and with -y', async () => {
  await fc.assert(
    fc.asyncProperty(names, fc.boolean(), async (bytes, withAnnotations) => {
      const name = encoded(bytes);
      const fd = withAnnotations ? `3</memfd:${annotated(bytes)}>(deleted)` : '3';
      const end = withAnnotations ? ' <0.000020>' : '';
      const actions = await actionsOf([
        `7 memfd_create("${name}", MFD_CLOEXEC) = ${fd}${end}`,
        `7 ftruncate(${fd}, 8192) = 0${end}`,
        `7 close(${fd}) = 0${end}`,
      ]);
      expect(actions).toEqual([
        { type: 'create', file: 1, name, flags: 'MFD_CLOEXEC', hugetlb: false },
        { type: 'resize', file: 1, bytes: 8192 },
        { type: 'release', file: 1 },
      ]);
    }),
    { numRuns: 300 },
  );
});

test('what is not printable is made so', async () => {
  const [create] = await actionsOf(['memfd_create("a\u001b[2J\u007f", 0\u0007) = 3']);
  expect(create).toMatchObject({ name: 'a\\x1b[2J\\x7f', flags: '0\\x07' });
});
