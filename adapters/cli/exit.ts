/** The laws hold; they do not; the input or the call was bad; a signal ended it. */
export const EXIT = { ok: 0, violated: 1, badInput: 2, interrupted: 130, terminated: 143 } as const;
