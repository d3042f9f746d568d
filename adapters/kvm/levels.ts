/** How large a stage-2 mapping is: 4 KiB, 2 MiB or 1 GiB, as PG_LEVEL_* of x86. */
export type Level = 1 | 2 | 3;

/** Guest pages of a mapping of each level. */
export const LEVEL_PAGES = { 1: 1, 2: 2 ** 9, 3: 2 ** 18 } as const;

export const LARGE_LEVELS = [3, 2] as const;
