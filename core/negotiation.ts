import type { StoreCapabilities } from './capabilities.js';
import { canFollow, type MappingBudget, type Movement } from './capabilities.js';
import { asMemfileError, MemfileError, show } from './errno.js';
import { isPageCount, type PageRange } from './page-range.js';

/** Why a consumer cannot use the pages of a store; undefined when it can. */
export function cannotFollow(
  consumer: string,
  follows: Movement,
  store: string,
  { movement = 'pinned' }: StoreCapabilities,
): MemfileError | undefined {
  if (canFollow(follows, movement)) return undefined;
  const missing = `pages of store "${store}" are ${movement}, and "${consumer}" follows ${follows}`;
  return new MemfileError('EOPNOTSUPP', 'register', `${missing}; it has to follow '${movement}'`);
}

/** What pages would need of a budget. */
export interface Mappings {
  readonly used: number;
  /** How many more it would be, at most. */
  readonly more: number;
  readonly limit: number;
}

type Pages = readonly (PageRange & { readonly pfn?: number })[];

/** @throws MemfileError EINVAL for what is no count; what the budget throws. */
export function mappingsOf(budget: MappingBudget, pages: Pages): Mappings {
  const { limit, used } = budget;
  const more = pages.length === 0 ? 0 : budget.cost(pages);
  for (const [what, count] of Object.entries({ used, more })) {
    if (isPageCount(count)) continue;
    throw new MemfileError('EINVAL', 'budget', `${what} must be a count, got ${show(count)}`);
  }
  return { limit, used, more };
}

/** Why pages do not fit into a budget; undefined when they do. */
export function overBudget(
  syscall: string,
  budget: MappingBudget,
  pages: Pages,
): MemfileError | undefined {
  if (pages.length === 0) return undefined;
  try {
    const { limit, used, more } = mappingsOf(budget, pages);
    if (used + more <= limit) return undefined;
    const why = `needs ${more} mappings, and ${used} of ${limit} are in use`;
    return new MemfileError('ENOSPC', syscall, why);
  } catch (error) {
    return asMemfileError(error, syscall, 'the budget');
  }
}
