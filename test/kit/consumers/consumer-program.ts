import fc from 'fast-check';
import type { ContentMode, PageRange, Side } from '../../../core/index.js';
import type { ConsumerHostility } from './hostile-consumers.js';

/** What happens around a consumer, which is the only one that uses pages. */
export type ConsumerStep =
  | ({ readonly do: 'touch' | 'fallocate' | 'punch' } & PageRange)
  | ({ readonly do: 'convert'; readonly to: Side; readonly content: ContentMode } & PageRange)
  | { readonly do: 'poison'; readonly page: number }
  | { readonly do: 'truncate'; readonly pages: number }
  | { readonly do: 'neighbour'; readonly hostility: ConsumerHostility }
  /** Slow neighbours are done. */
  | { readonly do: 'release' }
  /** One suspended operation goes on, chosen among all. */
  | { readonly do: 'resume'; readonly which: number }
  /** It is given up on, as teardown does after its deadline: nothing is told to it any more. */
  | { readonly do: 'evict' }
  | { readonly do: 'end' }
  | { readonly do: 'close' };

export interface ConsumerProgram {
  /** What is there when the consumer comes. */
  readonly before: PageRange | undefined;
  readonly steps: readonly ConsumerStep[];
}

/** How many pages the file has in the beginning. */
export const FILE_PAGES = 12;

const range = fc
  .tuple(fc.nat(FILE_PAGES - 1), fc.integer({ min: 1, max: 6 }))
  .map(([start, pages]) => ({ start, end: start + pages }));

const ranged = (what: 'touch' | 'fallocate' | 'punch'): fc.Arbitrary<ConsumerStep> =>
  range.map((range) => ({ do: what, ...range }));

const step: fc.Arbitrary<ConsumerStep> = fc.oneof(
  { weight: 6, arbitrary: ranged('touch') },
  { weight: 2, arbitrary: ranged('fallocate') },
  { weight: 5, arbitrary: ranged('punch') },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        range,
        fc.constantFrom<Side>('private', 'shared'),
        fc.constantFrom<ContentMode>('unspecified', 'preserve', 'zero'),
      )
      .map(([range, to, content]) => ({ do: 'convert' as const, ...range, to, content })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('poison' as const), page: fc.nat(FILE_PAGES - 1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('truncate' as const), pages: fc.nat(FILE_PAGES + 4) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('neighbour' as const),
      hostility: fc.constantFrom<ConsumerHostility>(
        'slow',
        'throwing',
        'rejecting',
        're-entrant',
        'leaving',
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'release' as const }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('resume' as const), which: fc.nat(7) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { do: 'end' as const },
      { do: 'close' as const },
      { do: 'evict' as const },
    ),
  },
);

export const consumerProgram: fc.Arbitrary<ConsumerProgram> = fc.record({
  before: fc.option(range, { nil: undefined }),
  steps: fc.array(step, { minLength: 1, maxLength: 24, size: 'medium' }),
});

/** A line for each step, for people. */
export function showConsumerProgram({ before, steps }: ConsumerProgram): readonly string[] {
  const there = before === undefined ? [] : [`fallocate [${before.start}, ${before.end})`];
  return [
    ...there,
    'the consumer comes',
    ...steps.map(showStep),
    'everything is let go on, and the consumer ends',
  ];
}

function showStep(step: ConsumerStep): string {
  switch (step.do) {
    case 'touch':
      return `the consumer touches [${step.start}, ${step.end})`;
    case 'fallocate':
    case 'punch':
      return `${step.do} [${step.start}, ${step.end})`;
    case 'convert':
      return `convert [${step.start}, ${step.end}) to ${step.to}, content '${step.content}'`;
    case 'poison':
      return `page ${step.page} is poisoned`;
    case 'truncate':
      return `truncate to ${step.pages} pages`;
    case 'neighbour':
      return `a ${step.hostility} neighbour registers`;
    case 'release':
      return 'slow neighbours are done';
    case 'resume':
      return `a suspended operation goes on (choice ${step.which})`;
    case 'evict':
      return 'the consumer is evicted';
    case 'end':
      return 'the consumer ends';
    case 'close':
      return 'close the file';
  }
}
