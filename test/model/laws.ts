/** The laws of the design, by number. */
export const LAWS: Readonly<Record<number, string>> = {
  1: 'order',
  2: 'isolation',
  3: 'balance',
  4: 'gone means gone',
  5: 'snapshot and subscribe are one step',
  6: 'grace',
  7: 'ranges',
  8: 'undo',
  9: 'pins balance',
  10: 'the journal is the truth',
  11: 'errors',
  12: 'teardown',
};

/** 'law 4: gone means gone' */
export function lawTitle(law: number): string {
  return `law ${law}: ${LAWS[law]}`;
}
