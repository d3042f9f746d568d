import { MemfileError, type ErrnoCode } from '../../core/index.js';

/** What a store had no room for; the run goes on without. */
export interface Refusals {
  /** Touches of a huge page that was not there, by one consumer, before a punch. */
  faults: number;
  /** Calls of fallocate; what they added before stays. */
  fallocates: number;
  /** The first of them: the last position of the journal then, and the page asked for. */
  readonly first: { readonly position: number; readonly file: number; readonly page: number };
}

/** By error code. */
export class RefusalCounts {
  readonly byCode = new Map<ErrnoCode, Refusals>();

  /** Counts what there was no room for; throws any other error. */
  expect(error: unknown, what: 'faults' | 'fallocates', first: () => Refusals['first']): void {
    if (!(error instanceof MemfileError)) throw error;
    const { code } = error;
    if (code !== 'ENOSPC' && code !== 'ENOMEM') throw error;
    let refusals = this.byCode.get(code);
    if (refusals === undefined) {
      this.byCode.set(code, (refusals = { faults: 0, fallocates: 0, first: first() }));
    }
    refusals[what]++;
  }
}
