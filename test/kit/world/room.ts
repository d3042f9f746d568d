import type { MappingBudget, NotifierEvent, PageRange } from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';

/** A budget of one mapping a page, spent on what its consumer can use and on what it agreed to. */
export class Room implements MappingBudget {
  readonly limit: number;
  readonly #usable: PageSet;
  readonly #prepared = new PageSet();

  constructor(limit: number, usable: PageSet) {
    this.limit = limit;
    this.#usable = usable;
  }

  get used(): number {
    return sizeOf(this.#usable.within(0, Infinity)) + sizeOf(this.#prepared.within(0, Infinity));
  }

  cost(pages: readonly PageRange[]): number {
    return sizeOf(pages);
  }

  /** @param gains whether the pages come to the consumer if all agree. */
  heard(type: NotifierEvent['type'], { start, end }: PageRange, gains: boolean): void {
    if (type === 'prepare' && gains) this.#prepared.add(start, end);
    if (type === 'rollback' || type === 'fallocate') this.#prepared.remove(start, end);
  }
}

function sizeOf(pages: readonly PageRange[]): number {
  return pages.reduce((sum, { start, end }) => sum + end - start, 0);
}
