import type { Access, PageRange, Side } from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';

interface Change extends PageRange {
  readonly to: Side;
  readonly position: number;
}

/** Which pages are private, by what the store was asked to convert; nobody else is asked. */
export class Sides {
  readonly #changes = new Map<number, Change[]>();

  /** @param position of the event that says so. */
  changed(file: number, start: number, end: number, to: Side, position: number): void {
    const changes = this.#changes.get(file) ?? [];
    this.#changes.set(file, [...changes, { start, end, to, position }]);
  }

  /** The private pages of a file, as they were at that position. */
  privatePages(file: number, position = Infinity): PageSet {
    const pages = new PageSet();
    for (const change of this.#changes.get(file) ?? []) {
      if (change.position > position) continue;
      if (change.to === 'private') pages.add(change.start, change.end);
      else pages.remove(change.start, change.end);
    }
    return pages;
  }

  sideOf(file: number, page: number, position = Infinity): Side {
    return this.privatePages(file, position).has(page) ? 'private' : 'shared';
  }

  /** What of a range is the business of somebody with such access, there or not. */
  within(
    file: number,
    { start, end }: PageRange,
    access: Access,
    position = Infinity,
  ): PageRange[] {
    const pages = this.privatePages(file, position);
    if (access === 'private') return pages.within(start, end);
    const rest = new PageSet();
    rest.add(start, end);
    if (access === 'both') return rest.within(start, end);
    for (const range of pages.within(start, end)) rest.remove(range.start, range.end);
    return rest.within(start, end);
  }
}
