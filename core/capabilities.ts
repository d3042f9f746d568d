/**
 * What stores and consumers declare of themselves, so that what cannot go together is refused when
 * they meet and not when it goes wrong.
 */

/** From the steadiest: what becomes of pages while nobody punches them. */
export const MOVEMENTS = ['pinned', 'revocable', 'movable'] as const;

/**
 * Of a store: 'pinned' pages stay until somebody takes them away, 'revocable' ones the store itself
 * may take away, 'movable' ones may come back with another frame. Of a consumer: the most that it
 * can follow.
 */
export type Movement = (typeof MOVEMENTS)[number];

export const SIDES = ['shared', 'private'] as const;

/** Whose a page is: everybody's, or the guest's alone. An attribute of the page's place in the file. */
export type Side = (typeof SIDES)[number];

/** Which pages a consumer can use; those of the other side do not exist for it. */
export type Access = Side | 'both';

export const CONTENT_MODES = ['unspecified', 'zero', 'preserve'] as const;

/** What becomes of the contents in a conversion: `KVM_SET_MEMORY_ATTRIBUTES2` of 2025. */
export type ContentMode = (typeof CONTENT_MODES)[number];

/** A conversion as consumers are told of it. */
export interface Conversion {
  readonly to: Side;
  readonly content: ContentMode;
}

export interface StoreCapabilities {
  /** 'pinned' by default. */
  readonly movement?: Movement | undefined;
  /** Whether callers may allocate; true by default. */
  readonly fallocate?: boolean | undefined;
  /** Whether callers may punch; true by default. */
  readonly punchHole?: boolean | undefined;
  /**
   * Whether frames are counted: one that is referenced is given to no page until the last reference
   * is put; true by default. Where they are not, a frame comes back to its page whoever has leases
   * of it, and `generation` of its file says that those are stale.
   */
  readonly counted?: boolean | undefined;
  /** What conversions it takes part in, empty for none; all but 'zero' by default. */
  readonly conversions?: readonly ContentMode[] | undefined;
}

/** How many mappings a consumer may have, as the DMA limit of VFIO. A live object of the consumer's. */
export interface MappingBudget {
  /** How many there may be. */
  readonly limit: number;
  /**
   * How many there are, those that it has been asked to prepare included. One that is not told
   * `prepare` cannot count these; all that one operation brings is compared before it is asked.
   */
  readonly used: number;
  /** How many more these pages would need at most; their frames are known unless it is a plan. */
  cost(
    pages: readonly { readonly start: number; readonly end: number; readonly pfn?: number }[],
  ): number;
}

/** Whether a consumer that follows `consumer` can use pages that do as `store` says. */
export function canFollow(consumer: Movement, store: Movement): boolean {
  return MOVEMENTS.indexOf(consumer) >= MOVEMENTS.indexOf(store);
}
