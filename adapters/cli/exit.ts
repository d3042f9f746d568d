/** The laws hold; they do not; the input or the call was bad. */
export const EXIT = { ok: 0, violated: 1, badInput: 2 } as const;
