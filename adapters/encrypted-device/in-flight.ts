import { overlaps, type PageRange } from '../../core/page-range.js';

/** What a device is in the middle of, by the I/O virtual pages that it concerns. */
export class InFlight {
  readonly #work = new Set<PageRange & { readonly over: Promise<void> }>();

  /** Remembers work until it settles; answers it. */
  track<T>({ start, end }: PageRange, work: Promise<T>): Promise<T> {
    const settled = (): void => void this.#work.delete(item);
    const item = { start, end, over: work.then(settled, settled) };
    this.#work.add(item);
    return work;
  }

  /** Resolves, whatever came of it, when all that is going on there now is over; undefined when nothing is. */
  over(range: PageRange): Promise<unknown> | undefined {
    const open = [...this.#work].filter((item) => overlaps(item, range));
    return open.length === 0 ? undefined : Promise.all(open.map(({ over }) => over));
  }
}
