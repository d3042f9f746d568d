import type { Access } from './capabilities.js';
import type { NotifierCallback } from './event.js';
import type { Notifier, NotifierFunction, Participant } from './notifier.js';
import { MAX_PAGES, type PageRange } from './page-range.js';
import type { Pass } from './pass.js';
import type { SectionOwner } from './section.js';

/** A consumer as those see it who tell it. */
export interface Member extends SectionOwner {
  readonly access: Access;
  /** Whether RxJS observers have to be told too. */
  readonly observed: boolean;
  /** The only one of them, if there is one and it takes part. */
  readonly participant: Participant | undefined;
  /** Tells it what of `[start, end)` is its own, unless it has left. */
  tell(pass: Pass, start: number, end: number): void;
  /** It has been told by calling its callback, or its observer. */
  wasTold(): void;
}

/**
 * The place of a consumer in its list, with all that telling it takes beside each other: among many
 * consumers, what lies apart is not in a cache.
 *
 * Callbacks are looked up once: calling methods of consumers of many classes costs 2.5 times as much.
 */
export class Seat<M extends Member = Member> {
  readonly start: number;
  readonly end: number;
  /** Whether it is told by calling its callback and nothing else; false once it has left. */
  direct = false;
  readonly invalidate: NotifierFunction | undefined;
  readonly invalidateEnd: NotifierFunction | undefined;
  readonly fallocate: NotifierFunction | undefined;
  readonly notifier: Notifier;
  readonly member: M;
  /** Its age: lower is older. */
  readonly order: number;
  /** Where it stands among those of the whole file, or that it does not; the list's own. */
  place = 0;
  readonly prepare: NotifierFunction | undefined;
  readonly rollback: NotifierFunction | undefined;
  readonly error: NotifierFunction | undefined;

  constructor(member: M, order: number, { start, end }: PageRange, notifier: Notifier) {
    this.start = start;
    this.end = end;
    this.invalidate = notifier.invalidate ?? undefined;
    this.invalidateEnd = notifier.invalidateEnd ?? undefined;
    this.fallocate = notifier.fallocate ?? undefined;
    this.notifier = notifier;
    this.member = member;
    this.order = order;
    this.prepare = notifier.prepare ?? undefined;
    this.rollback = notifier.rollback ?? undefined;
    this.error = notifier.error ?? undefined;
  }

  get whole(): boolean {
    return this.start === 0 && this.end === MAX_PAGES;
  }

  /** Whether it has any callback for what is told without being asked. */
  get silent(): boolean {
    return (this.fallocate ?? this.invalidate ?? this.invalidateEnd ?? this.error) === undefined;
  }

  callback(type: NotifierCallback): NotifierFunction | undefined {
    switch (type) {
      case 'invalidate':
        return this.invalidate;
      case 'invalidateEnd':
        return this.invalidateEnd;
      case 'fallocate':
        return this.fallocate;
      case 'prepare':
        return this.prepare;
      case 'rollback':
        return this.rollback;
      case 'error':
        return this.error;
    }
  }
}
