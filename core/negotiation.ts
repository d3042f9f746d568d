import type { StoreCapabilities } from './capabilities.js';
import { canFollow, type MappingBudget, type Movement } from './capabilities.js';
import { asMemfileError, MemfileError } from './errno.js';
import type { PageRange } from './page-range.js';

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

/** Why pages do not fit into a budget; undefined when they do. */
export function overBudget(
  syscall: string,
  budget: MappingBudget,
  pages: readonly (PageRange & { readonly pfn?: number })[],
): MemfileError | undefined {
  if (pages.length === 0) return undefined;
  try {
    const { limit, used } = budget;
    const cost = budget.cost(pages);
    if (used + cost <= limit) return undefined;
    const why = `needs ${cost} mappings, and ${used} of ${limit} are in use`;
    return new MemfileError('ENOSPC', syscall, why);
  } catch (error) {
    return asMemfileError(error, syscall, 'the budget');
  }
}
