import type { PfnRun } from './backing-store.js';
import type { Access, ContentMode, Side } from './capabilities.js';
import { MemfileError } from './errno.js';
import type { FileCore } from './file-core.js';
import { mappingsOf, overBudget, type Mappings } from './negotiation.js';
import { checkConsumer, checkConversion, type RegisterOptions } from './options.js';
import {
  checkRange,
  checkSize,
  clip,
  countPages,
  MAX_PAGES,
  WHOLE_FILE,
  type PageRange,
} from './page-range.js';
import {
  refusesConvert,
  refusesFallocate,
  refusesPunch,
  refusesRegister,
  refusesTruncate,
} from './refusals.js';
import { bySide, clipRuns, ofSide, usableFrames } from './usable.js';

/** An operation that is only thought of; ranges are pages, half-open. */
export type PlannedOperation =
  | ({ readonly type: 'fallocate' | 'punchHole' } & PageRange)
  | { readonly type: 'truncate'; readonly pages: number }
  | PlannedConversion
  | PlannedRegistration;

interface PlannedConversion extends PageRange {
  readonly type: 'convert';
  readonly to: Side;
  readonly content?: ContentMode | undefined;
}

interface PlannedRegistration extends Pick<
  RegisterOptions,
  'name' | 'range' | 'access' | 'follows' | 'budget'
> {
  readonly type: 'register';
}

/** What would come of an operation if it started now. */
export interface Plan {
  /** Whether nothing that was declared is in the way. Consumers that are asked may still refuse. */
  readonly possible: boolean;
  /**
   * The capabilities, seals, limits of the store and budgets that would refuse it, in the order in
   * which they are asked: errors as the operation would reject with. A budget that would refuse is
   * named by `refused.consumer`; frames that are not known yet are counted at most.
   */
  readonly refusals: readonly MemfileError[];
  /** How many pages it would add, take away, change to the other side, or show; at most. */
  readonly pages: number;
  /** What it would cost those that have a budget. */
  readonly mappings: readonly PlannedMappings[];
  /**
   * With a conversion: the first page under a lease, and the consumers that hold it. It would be
   * refused (EAGAIN) if they did not let go when they are told.
   */
  readonly held?: { readonly page: number; readonly holders: readonly string[] };
}

export interface PlannedMappings extends Mappings {
  readonly consumer: string;
}

/** Pages that would come to consumers with one of these kinds of access. */
interface Coming extends PageRange {
  readonly accesses: readonly Access[];
  /** When it is known. */
  readonly pfn?: number;
}

/** @throws MemfileError EINVAL or EFBIG for what is no operation. */
export function plan(file: FileCore, operation: PlannedOperation): Plan {
  switch (operation?.type) {
    case 'fallocate':
      return planFallocate(file, operation);
    case 'punchHole': {
      checkRange('plan', operation.start, operation.end);
      return leaving(file, operation, refusesPunch(file));
    }
    case 'truncate': {
      checkSize('plan', operation.pages);
      const past = { start: operation.pages, end: MAX_PAGES };
      return leaving(file, past, refusesTruncate(file, operation.pages));
    }
    case 'convert':
      return planConversion(file, operation);
    case 'register':
      return planRegistration(file, operation);
    default:
      throw new MemfileError('EINVAL', 'plan', 'needs an operation with a type');
  }
}

function planFallocate(file: FileCore, { start, end }: PageRange): Plan {
  checkRange('plan', start, end);
  const { state, store } = file;
  const { granule = 1 } = store;
  let coming: Coming[] = [];
  let full: MemfileError | undefined;
  if (state.frames.holes(start, end).length > 0) {
    const from = Math.floor(start / granule) * granule;
    const holes = state.frames.holes(from, Math.ceil(end / granule) * granule);
    coming = holes
      .flatMap((hole) => bySide(state, hole))
      .map((piece) => ({ ...piece, accesses: ['both', piece.side] }));
    full = store.plan?.(start, end);
  }
  return outcome(file, countPages(coming), [refusesFallocate(file, end), full], coming);
}

function leaving(file: FileCore, { start, end }: PageRange, refusal?: MemfileError): Plan {
  return outcome(file, countPages(file.state.frames.ranges(start, end)), [refusal]);
}

function planConversion(file: FileCore, operation: PlannedConversion): Plan {
  const { start, end, to, content = 'unspecified' } = operation;
  checkConversion('plan', { to, content });
  checkRange('plan', start, end);
  const { state } = file;
  const from = to === 'private' ? 'shared' : 'private';
  const changing = ofSide(state, { start, end }, from);
  const coming = usableFrames(state, { start, end }, from);
  const plan = outcome(
    file,
    countPages(changing),
    [refusesConvert(file, { start, end }, { to, content })],
    coming.map((run) => ({ ...run, accesses: [to] })),
  );
  const held = file.held(changing);
  return held === undefined ? plan : { ...plan, held };
}

function planRegistration(file: FileCore, operation: PlannedRegistration): Plan {
  const { name = 'the consumer', access = 'both', range, budget } = operation;
  checkConsumer('plan', {}, operation);
  const { start, end } = range ?? WHOLE_FILE;
  checkRange('plan', start, end);
  const { state } = file;
  const asked = { ...operation, start, end };
  const seen = usableFrames(state, asked, access);
  const plan = outcome(file, countPages(seen), [refusesRegister(file, name, asked)]);
  return budget === undefined ? plan : { ...plan, mappings: costs(name, budget, seen) };
}

function outcome(
  file: FileCore,
  pages: number,
  declared: readonly (MemfileError | undefined)[],
  coming: readonly Coming[] = [],
): Plan {
  const refusals = declared.filter((refusal) => refusal !== undefined);
  const mappings: PlannedMappings[] = [];
  const [first, last] = [coming[0], coming.at(-1)];
  if (first === undefined || last === undefined) {
    return { possible: refusals.length === 0, refusals, pages, mappings };
  }
  for (const consumer of file.notifiers.concerned(first.start, last.end).members) {
    const { name, access, budget, range } = consumer;
    if (budget === undefined) continue;
    const its = coming.flatMap((piece) =>
      piece.accesses.includes(access) ? clipTo(piece, range) : [],
    );
    if (its.length === 0) continue;
    mappings.push(...costs(name, budget, its));
    const over = overBudget('plan', budget, its);
    if (over === undefined) continue;
    const { start: page } = its[0]!;
    const holders = file.held([{ start: page, end: page + 1 }])?.holders ?? [];
    const refused = { consumer: name, page, holders };
    refusals.push(new MemfileError(over.code, 'plan', `"${name}": ${over.message}`, { refused }));
  }
  return { possible: refusals.length === 0, refusals, pages, mappings };
}

function clipTo({ start, end, pfn }: Coming, range: PageRange): readonly (PageRange | PfnRun)[] {
  return pfn === undefined ? clip([{ start, end }], range) : clipRuns([{ start, end, pfn }], range);
}

/** Nothing when the budget fails: that it does is a refusal. */
function costs(
  consumer: string,
  budget: NonNullable<RegisterOptions['budget']>,
  pages: readonly PageRange[],
): PlannedMappings[] {
  try {
    return [{ consumer, ...mappingsOf(budget, pages) }];
  } catch {
    return [];
  }
}
