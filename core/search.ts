/** Among more rows than twice this, it is worth a guess where to look. */
const WINDOW = 32;

/**
 * The first of `count` rows whose number at `column` is more than `number`, or `count`; the numbers
 * rise, and a row takes `width` places.
 *
 * Among many it looks first around where the row is if the numbers are even: halving from the outside
 * touches memory that is far apart. Each step then adds up what it would otherwise branch on: nobody
 * can foresee that, and a processor that guesses wrong waits longer than the step takes.
 */
export function firstAbove(
  rows: number[] | Int32Array | Float64Array,
  count: number,
  width: number,
  column: number,
  number: number,
): number {
  let low = 0;
  let stop = count;
  if (count > 2 * WINDOW) {
    const least = rows[column]!;
    const share = (number - least) / (rows[(count - 1) * width + column]! - least);
    const guess = Math.floor(share * count) - WINDOW / 2;
    const from = Math.max(Math.min(guess, count - WINDOW), 0);
    const to = from + WINDOW;
    if (from > 0 && rows[(from - 1) * width + column]! <= number) low = from;
    if (rows[(to - 1) * width + column]! > number) stop = to;
  }
  for (let left = stop - low; left > 1;) {
    const half = left >>> 1;
    low += half * Number(rows[(low + half - 1) * width + column]! <= number);
    left -= half;
  }
  return low + Number(count > 0 && rows[low * width + column]! <= number);
}
