import { evolve, MemfileState, type Recorded } from '../../core/index.js';

export interface PageCount {
  readonly file: number;
  readonly populated: number;
  readonly leaving: number;
  readonly quarantined: number;
}

/** How many pages of each file are in which state, as the events have it. */
export class PageCounts {
  readonly #state: MemfileState;

  /** @param before the state before the first event, if that has position > 1. */
  constructor(before = new MemfileState()) {
    this.#state = before;
  }

  /** The counts of the event's file, when they may have changed. */
  after(event: Recorded): PageCount | undefined {
    evolve(this.#state, event);
    if (
      event.type !== 'fallocate' &&
      event.type !== 'invalidate' &&
      event.type !== 'invalidateEnd'
    ) {
      return undefined;
    }
    const file = this.#state.files.get(event.file);
    if (file === undefined) return undefined;
    let leaving = 0;
    for (const { start, end } of file.open.values()) {
      for (const range of file.frames.ranges(start, end)) leaving += range.end - range.start;
    }
    let quarantined = 0;
    for (const run of this.#state.quarantined) {
      if (run.file === event.file) quarantined += run.end - run.start;
    }
    return { file: event.file, populated: file.frames.pages, leaving, quarantined };
  }
}
