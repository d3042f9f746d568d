import fc from 'fast-check';
import type { Access, ContentMode, Side } from '../../../core/index.js';
import { oneLess } from '../small.js';

/** What a consumer does in a callback; a consumer goes through its list again and again. */
export type Behaviour =
  | 'ok'
  | 'throw'
  /** Calls `waitUntil` with work that a later step settles. */
  | 'wait'
  /** Returns a promise of such work. */
  | 'async'
  /** Work that never settles: only eviction helps. (An observer cannot be evicted; it is 'ok'.) */
  | 'never'
  /** Starts a punch of the range that it is told of, and does not wait for it. */
  | 'reenter'
  /** Starts a punch of one page next to it, and does not wait for it. */
  | 'stray'
  /** Unsubscribes itself. */
  | 'leave'
  /** Gives `waitUntil` the end of its own grace period, which cannot come. */
  | 'deadlock';

/** How the store misbehaves the next time that it is asked. */
export type Fault =
  | 'allocate throws'
  | 'allocates less'
  | 'free throws'
  | 'frees less'
  | 'convert throws';

export type Step =
  | {
      readonly do: 'fallocate' | 'punch';
      readonly file: number;
      readonly start: number;
      readonly pages: number;
      /** With fallocate: pages past the end of the file leave it as long as it is. */
      readonly keepSize?: boolean;
    }
  | {
      readonly do: 'convert';
      readonly file: number;
      readonly start: number;
      readonly pages: number;
      readonly to: Side;
      readonly content: ContentMode;
    }
  | { readonly do: 'poison'; readonly file: number; readonly page: number }
  | { readonly do: 'truncate'; readonly file: number; readonly pages: number }
  | {
      readonly do: 'register';
      readonly file: number;
      readonly start: number;
      /** 0 for the whole file. */
      readonly pages: number;
      readonly behaviours: readonly Behaviour[];
      /** Subscribes as an RxJS observer and not with callbacks. */
      readonly observer: boolean;
      /** Is asked before pages arrive; failing then is refusing. */
      readonly votes: boolean;
      /** Is told of what is there as if it arrived now. */
      readonly replay: boolean;
      readonly access: Access;
      /** How many pages it has room for; 0 for any. */
      readonly budget: number;
    }
  | { readonly do: 'unsubscribe' | 'unregister' | 'evict'; readonly who: number }
  | { readonly do: 'lookup'; readonly who: number; readonly page: number }
  | { readonly do: 'put'; readonly which: number }
  | { readonly do: 'settle' | 'reject'; readonly which: number }
  /** Lets one suspended operation go on, chosen among all. */
  | { readonly do: 'resume'; readonly which: number }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'fault'; readonly fault: Fault }
  | { readonly do: 'close'; readonly file: number };

export interface Program {
  readonly steps: readonly Step[];
}

export const FILES = 2;
export const PAGES = 12;

const file = fc.nat(FILES - 1);
const page = fc.nat(PAGES - 1);
const length = fc.integer({ min: 1, max: 6 });
const which = fc.nat(7);

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Behaviour>('ok') },
  { weight: 3, arbitrary: fc.constantFrom<Behaviour>('wait', 'async') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Behaviour>(
      'throw',
      'reenter',
      'stray',
      'leave',
      'deadlock',
      'never',
    ),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('fallocate' as const, 'punch' as const),
      file,
      start: fc.nat(PAGES + 3),
      pages: length,
      keepSize: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('truncate' as const), file, pages: fc.nat(PAGES + 4) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('register' as const),
      file,
      start: page,
      pages: fc.oneof(fc.constant(0), length),
      behaviours: fc.array(behaviour, { minLength: 1, maxLength: 4 }),
      observer: fc.boolean(),
      votes: fc.boolean(),
      replay: fc.boolean(),
      access: fc.constantFrom<Access>('both', 'both', 'shared', 'private'),
      budget: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('convert' as const),
      file,
      start: page,
      pages: length,
      to: fc.constantFrom<Side>('private', 'shared'),
      content: fc.constantFrom<ContentMode>('unspecified', 'unspecified', 'preserve', 'zero'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('poison' as const), file, page }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('unsubscribe' as const, 'unregister' as const, 'evict' as const),
      who: which,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('lookup' as const), who: which, page }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('settle' as const, 'settle' as const, 'reject' as const),
      which,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('resume' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      fault: fc.constantFrom<Fault>(
        'allocate throws',
        'allocates less',
        'free throws',
        'frees less',
        'convert throws',
      ),
    }),
  },
  { weight: 0.2 * 5, arbitrary: fc.record({ do: fc.constant('close' as const), file }) },
);

const calm = { behaviours: ['ok'], observer: false, votes: true, replay: false } as const;
const whole = { start: 0, pages: 0, budget: 0 } as const;

/** Pages are there, and somebody of each side has them: what conversions are about. */
const crowded: readonly Step[] = [
  { do: 'fallocate', file: 0, start: 0, pages: PAGES },
  { do: 'register', file: 0, ...whole, ...calm, access: 'shared' },
  { do: 'register', file: 0, ...whole, ...calm, access: 'private' },
];

/** Leases are out, and somebody does not let go: where frames have to be leaked. */
const careless: readonly Step[] = [
  { do: 'fallocate', file: 0, start: 0, pages: PAGES },
  {
    do: 'register',
    file: 0,
    ...whole,
    ...calm,
    votes: false,
    access: 'both',
    behaviours: ['throw', 'ok'],
  },
  { do: 'lookup', who: 0, page: 2 },
  { do: 'lookup', who: 0, page: 7 },
];

export const program: fc.Arbitrary<Program> = fc.record({
  steps: fc
    .tuple(
      fc.constantFrom([], crowded, careless),
      fc.array(step, { minLength: 1, maxLength: 24, size: 'medium' }),
    )
    .map(([before, steps]) => [...before, ...steps]),
});

/** The same program on larger files: each of its pages stands for `unit` pages. */
export function scaled({ steps }: Program, unit: number): Program {
  if (unit === 1) return { steps };
  return {
    steps: steps.map((step) => ({
      ...step,
      ...('start' in step ? { start: step.start * unit } : {}),
      ...('pages' in step ? { pages: step.pages * unit } : {}),
      ...('budget' in step ? { budget: step.budget * unit } : {}),
      ...('page' in step ? { page: step.page * unit } : {}),
    })),
  };
}

/** The same program with one step less, in every way. */
export function shorterPrograms({ steps }: Program): readonly Program[] {
  return oneLess(steps).map((steps) => ({ steps }));
}
