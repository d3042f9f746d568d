import type { NotifierFunction, Participant } from './notifier.js';
import type { Pass } from './pass.js';
import type { ToldEvent } from './told-event.js';

/** One function that tells one consumer. */
export type Call =
  | { readonly observer: false; readonly call: NotifierFunction; readonly receiver: object }
  | {
      readonly observer: true;
      readonly call: NonNullable<Participant['next']>;
      readonly receiver: object;
    };

/** What compiled calls want of the row that they are of. */
interface Told {
  answered(pass: Pass, result: unknown): boolean;
  failed(pass: Pass, error: unknown): number;
}

/**
 * Tells a stretch of a row, and answers who of the row is next: short of its end where somebody
 * failed, or the row has become stale.
 */
export type Calls = (row: Told, pass: Pass, event: ToldEvent, start: number, end: number) => number;

/** How many consumers one function tells: about as many as an engine inlines into one. */
export const STRETCH = 16;

/**
 * A function with a call of its own for each consumer. In a loop all consumers share one call, which
 * an engine can neither inline nor foresee: with many of them that costs several times as much as
 * what they do.
 *
 * Undefined where no code can be made from text, as a page's Content Security Policy may have it.
 * The text has numbers in it and nothing of anybody's.
 */
export function compileCalls(calls: readonly Call[], from: number): Calls | undefined {
  if (isForbidden) return undefined;
  const functions = calls.map((_, i) => `call${i}`);
  const receivers = calls.map((_, i) => `receiver${i}`);
  const body = calls.map(({ observer }, i) => telling(i, from + i, observer));
  // Engines share what they learn of a function among all that have the same text.
  const text = `return (row, pass, event, start, end) => { // ${++compiled}
    try {
      let result;
      ${calls.some(({ observer }) => observer) ? 'const told = pass.notification();' : ''}
      ${body.join('')}
    } catch (error) {
      return row.failed(pass, error);
    }
    return ${from + calls.length};
  };`;
  try {
    // oxlint-disable-next-line no-implied-eval, no-new-func -- As said above.
    const make = new Function(...functions, ...receivers, text);
    return make(...calls.map(({ call }) => call), ...calls.map(({ receiver }) => receiver));
  } catch {
    isForbidden = true;
    return undefined;
  }
}

let compiled = 0;
/** A policy reports everybody who tries: once is enough. */
let isForbidden = false;

function telling(i: number, at: number, observer: boolean): string {
  const told = observer ? 'told' : 'start, end, event';
  return `
    pass.at = ${at};
    result = call${i}.call(receiver${i}, ${told});
    if ((result !== undefined || pass.touched) && row.answered(pass, result)) return ${at + 1};`;
}
