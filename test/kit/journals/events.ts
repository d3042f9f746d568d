import * as fc from 'fast-check';
import { SIDES } from '../../../core/capabilities.js';
import {
  NOTIFIER_CALLBACKS,
  OUTCOMES,
  REASONS,
  RECORD_LEVELS,
  SEALS,
} from '../../../core/event.js';
import type { FileFlag, JournalEvent, PageEvent, RareEvent } from '../../../core/index.js';
import { MAX_PAGES } from '../../../core/index.js';

/** Arbitrary events, for the tests of rows and journals. */

const MAX_24 = 2 ** 24 - 1;
const MAX_32 = 2 ** 32 - 1;

const number = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.maxSafeNat().map((n) => n % (max + 1)),
    fc.constantFrom(0, 1, max - 1, max),
  );

const reason = fc.constantFrom(...REASONS);

const small = number(MAX_24);
const operation = number(MAX_32);
const pfn = number(2 ** 52);
const order = number(51);
const range = fc
  .tuple(number(MAX_PAGES), number(MAX_32))
  .map(([start, pages]) => ({ start, end: start + pages }));

const callback = fc.constantFrom(...NOTIFIER_CALLBACKS);
const position = number(Number.MAX_SAFE_INTEGER);

const inOperation = fc.record({ file: small, operation });

/** Events of pages whose numbers fit a row. */
export const pageEvent: fc.Arbitrary<PageEvent> = fc.oneof(
  fc.tuple(inOperation, range, pfn, reason).map(([where, range, pfn, reason]): PageEvent => ({
    type: 'fallocate',
    ...where,
    ...range,
    pfn,
    reason,
  })),
  fc
    .tuple(
      fc.constantFrom('invalidate', 'invalidateEnd', 'prepare', 'rollback', 'usable', 'error'),
      inOperation,
      range,
      reason,
    )
    .map(([type, where, range, reason]): PageEvent => ({ type, ...where, ...range, reason })),
  fc
    .tuple(inOperation, range)
    .map(([where, range]): PageEvent => ({ type: 'kept', ...where, ...range })),
  fc
    .tuple(inOperation, range, fc.constantFrom(...SIDES))
    .map(([where, range, to]): PageEvent => ({ type: 'convert', ...where, ...range, to })),
  fc
    .tuple(inOperation, range)
    .map(([where, range]): PageEvent => ({ type: 'poison', ...where, ...range })),
  fc
    .tuple(inOperation, range, pfn)
    .map(([where, range, pfn]): PageEvent => ({ type: 'quarantine', ...where, ...range, pfn })),
  fc.record({
    type: fc.constantFrom('lookup', 'put'),
    file: small,
    registration: small,
    offset: number(MAX_PAGES),
    pfn,
    order,
  }),
  fc.tuple(inOperation, small, range).map(([where, registration, range]): PageEvent => ({
    type: 'left',
    ...where,
    registration,
    ...range,
  })),
  fc.record({ type: fc.constant('unregister'), file: small, registration: small }),
  fc.record({ type: fc.constant('grace'), file: small, registration: small }),
  fc.record({ type: fc.constant('time'), ms: fc.double({ min: 0, noNaN: true }) }),
  fc
    .tuple(inOperation, small, range, callback, position, reason)
    .map(([where, registration, range, callback, of, reason]): PageEvent => ({
      type: 'delivery',
      ...where,
      registration,
      ...range,
      callback,
      of,
      reason,
    })),
  fc
    .tuple(inOperation, small, callback, position, fc.constantFrom(...OUTCOMES))
    .map(([where, registration, callback, of, outcome]): PageEvent => ({
      type: 'answer',
      ...where,
      registration,
      callback,
      of,
      outcome,
    })),
);

/** Events of pages of which one number does not fit. */
export const widePageEvent: fc.Arbitrary<PageEvent> = fc.oneof(
  fc
    .tuple(
      pageEvent.filter((event) => 'file' in event),
      fc.integer({ min: MAX_24 + 1, max: MAX_32 }),
    )
    .map(([event, file]) => ({ ...event, file })),
  fc
    .tuple(
      pageEvent.filter((event) => 'registration' in event),
      fc.integer({ min: MAX_24 + 1, max: MAX_32 }),
    )
    .map(([event, registration]) => ({ ...event, registration })),
  fc
    .tuple(
      pageEvent.filter((event) => 'operation' in event),
      fc.integer({ min: MAX_32 + 1, max: Number.MAX_SAFE_INTEGER }),
    )
    .map(([event, operation]) => ({ ...event, operation })),
  fc
    .tuple(
      pageEvent.filter((event) => 'end' in event),
      number(MAX_32),
      fc.integer({ min: MAX_32 + 1, max: MAX_PAGES }),
    )
    .map(([event, start, pages]) => ({ ...event, start, end: start + pages })),
);

const seals = fc.subarray([...SEALS]);

export const rareEvent: fc.Arbitrary<RareEvent> = fc.oneof(
  fc.record({
    type: fc.constant('createFile'),
    file: small,
    name: fc.string({ unit: 'grapheme' }),
    store: fc.string(),
    pages: number(MAX_PAGES),
    flags: fc.subarray<FileFlag>(['inaccessible']),
    seals,
    options: fc.dictionary(fc.string(), fc.integer()).map((options) => ({ ...options })),
  }),
  fc.record({ type: fc.constant('resize'), file: small, operation, pages: number(MAX_PAGES) }),
  fc.record({ type: fc.constant('seal'), file: small, seals }),
  fc
    .tuple(small, small, fc.string(), range)
    .map(([file, registration, name, range]): RareEvent => ({
      type: 'register',
      file,
      registration,
      name,
      ...range,
    })),
  fc.record({
    type: fc.constant('failure'),
    file: small,
    operation,
    registration: small,
    callback: fc.constantFrom('prepare', 'fallocate', 'invalidate', 'invalidateEnd', 'observer'),
    message: fc.string({ unit: 'grapheme' }),
  }),
  fc
    .tuple(inOperation, small, range, fc.constantFrom('prepare', 'fallocate', 'rollback'))
    .map(([where, registration, range, callback]): RareEvent => ({
      type: 'replay',
      ...where,
      registration,
      callback,
      ...range,
    })),
  fc.record({ type: fc.constant('evict'), file: small, registration: small }),
  fc.record({ type: fc.constant('close'), file: small }),
  fc.record({
    type: fc.constant('plugin'),
    plugin: fc.string(),
    name: fc.string(),
    data: fc.dictionary(fc.string(), fc.integer()).map((data) => ({ ...data })),
  }),
  fc.record({
    type: fc.constant('open'),
    level: fc.constantFrom(...RECORD_LEVELS),
    operations: fc.nat(),
    registrations: fc.nat(),
  }),
);

export const journalEvent: fc.Arbitrary<JournalEvent> = fc.oneof(
  { weight: 6, arbitrary: pageEvent },
  { weight: 2, arbitrary: rareEvent },
  { weight: 1, arbitrary: widePageEvent },
);
