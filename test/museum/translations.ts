import type { MemslotPiece } from '../../adapters/kvm/index.js';

/**
 * How the series turned an event on file pages `[start, end)` into guest pages of a memory slot,
 * before it got it right: v4 and v5 11/13, v6 8/8, and the fix proposed in the review of v6. The
 * kernel computes with unsigned longs, so what goes below zero comes back at the top; `ULONG_MAX`
 * is the end of "everything from here on".
 */

export type Slot = Pick<MemslotPiece, 'gfn' | 'pages' | 'offset'>;

/** Guest pages `[start, end)`; nothing was done; or nothing but a warning in the kernel log. */
export type Translated = readonly [start: number, end: number] | 'none' | 'WARN';

export type Translation = (slot: Slot, start: number, end: number) => Translated;

const ULONG_MAX = 2n ** 64n - 1n;

/** Forgets to add the slot's first guest page, then clamps to the slot as if it had. */
export const v4: Translation = (slot, start, end) => {
  const { first, last, offset } = words(slot);
  const from = max(minus(word(start), offset), first);
  const to = min(minus(word(end), offset), last);
  return from >= to ? 'none' : [Number(from), Number(to)];
};

/** Adds it, and clamps at the end only: an event below the slot wraps around. */
export const v6: Translation = (slot, start, end) => {
  const { first, pages, offset } = words(slot);
  const from = plus(first, minus(word(start), offset));
  const to = plus(first, min(minus(word(end), offset), pages));
  return from >= to ? 'WARN' : [Number(from), Number(to)];
};

/** Drops whatever begins below the slot, even when it reaches into it. */
export const v6Fix: Translation = (slot, start, end) =>
  start < slot.offset || end < slot.offset ? 'none' : v6(slot, start, end);

/** A slot as the kernel's words. */
function words({
  gfn,
  pages,
  offset,
}: Slot): Record<'first' | 'last' | 'pages' | 'offset', bigint> {
  return { first: word(gfn), last: word(gfn + pages), pages: word(pages), offset: word(offset) };
}

function word(value: number): bigint {
  return value === Infinity ? ULONG_MAX : BigInt(value);
}

function plus(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a + b);
}

function minus(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a - b);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
