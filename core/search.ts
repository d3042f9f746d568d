/** Fewer are halved. */
const FEW = 8;

/**
 * The first of `count` rows whose number at `column` is more than `number`, or `count`; the numbers
 * rise, and a row takes `width` places.
 *
 * It begins where the row is if the numbers are even, and goes on in growing steps: halving from
 * the outside touches memory that is far apart, and cannot be foreseen by the processor.
 */
export function firstAbove(
  rows: number[] | Uint32Array | Float64Array,
  count: number,
  width: number,
  column: number,
  number: number,
): number {
  let low = 0;
  let high = count;
  if (count > FEW) {
    const least = rows[column]!;
    const share = (number - least) / (rows[(count - 1) * width + column]! - least);
    let at = share < 1 ? Math.max(Math.floor(share * count), 0) : count - 1;
    let step = 1;
    if (rows[at * width + column]! > number) {
      high = at;
      while ((at -= step) >= 0 && rows[at * width + column]! > number) {
        high = at;
        step *= 4;
      }
      low = Math.max(at + 1, 0);
    } else {
      low = at + 1;
      while ((at += step) < count && rows[at * width + column]! <= number) {
        low = at + 1;
        step *= 4;
      }
      high = Math.min(at, count);
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle * width + column]! > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
