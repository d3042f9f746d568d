import type { Conversion, Side } from './capabilities.js';
import type { PageRange } from './page-range.js';

/** In the order of their codes in a row: add at the end only. */
export const REASONS = [
  'fallocate',
  'fault',
  'punch',
  'truncate',
  'madvise',
  'close',
  'device',
  'replay',
  'convert',
  'poison',
] as const;

/** Why pages came or went. */
export type Reason = (typeof REASONS)[number];

export const SEALS = ['seal', 'shrink', 'grow', 'write'] as const;

/** What is forbidden for good: more seals, shrinking, growing, punching. */
export type Seal = (typeof SEALS)[number];

/** `inaccessible`: as MFD_INACCESSIBLE, contents are nobody's to read and the size is set once. */
export type FileFlag = 'inaccessible';

/** What happens to pages; these are the rows of fixed width. Ranges are pages, half-open. */
export type PageEvent =
  /** Pages arrived; page `start` got frame `pfn`, the next page the next frame. */
  | {
      readonly type: 'fallocate';
      readonly file: number;
      readonly operation: number;
      readonly start: number;
      readonly end: number;
      readonly pfn: number;
      readonly reason: Reason;
    }
  /** Pages are about to leave; `invalidateEnd` of the same operation follows, exactly once. */
  | RangeEvent<'invalidate'>
  | RangeEvent<'invalidateEnd'>
  /** Consumers are asked whether pages may arrive; `fallocate` or `rollback` follows. */
  | RangeEvent<'prepare'>
  | RangeEvent<'rollback'>
  /** Pages announced as leaving that stayed; stands before the `invalidateEnd`. */
  | {
      readonly type: 'kept';
      readonly file: number;
      readonly operation: number;
      readonly start: number;
      readonly end: number;
    }
  /** Frames leaked on purpose: a consumer that was told of their pages failed to let go. */
  | {
      readonly type: 'quarantine';
      readonly file: number;
      readonly operation: number;
      readonly start: number;
      readonly end: number;
      readonly pfn: number;
    }
  /** A consumer took a lease of the frame at page `offset`, or put it. */
  | LeaseEvent<'lookup'>
  | LeaseEvent<'put'>
  /** A consumer left while an invalidation that it had been told of was open: it gets no end. */
  | {
      readonly type: 'left';
      readonly file: number;
      readonly operation: number;
      readonly registration: number;
      readonly start: number;
      readonly end: number;
    }
  | { readonly type: 'unregister'; readonly file: number; readonly registration: number }
  /** Pages became private or shared, whether they are there or not. */
  | {
      readonly type: 'convert';
      readonly file: number;
      readonly operation: number;
      readonly start: number;
      readonly end: number;
      readonly to: Side;
    }
  /** Pages that were there all the time can be used by consumers of the side that they have now. */
  | RangeEvent<'usable'>
  /** Consumers are told what is wrong with pages that are there. */
  | RangeEvent<'error'>
  /** The frames of these pages have a hardware error. */
  | {
      readonly type: 'poison';
      readonly file: number;
      readonly operation: number;
      readonly start: number;
      readonly end: number;
    }
  | Witnessed;

/** The other side: what consumers were told and answered. Recorded when asked for; no state follows. */
export type Witnessed =
  /** One consumer is told of the event at position `of`, for its clipped range. */
  | {
      readonly type: 'delivery';
      readonly file: number;
      readonly operation: number;
      readonly registration: number;
      readonly of: number;
      readonly callback: NotifierCallback;
      readonly start: number;
      readonly end: number;
      readonly reason: Reason;
    }
  /**
   * It did not answer at once: it `waits`, and later is `done`. One that has failed has a `failure`
   * too; one without an answer returned at once.
   */
  | {
      readonly type: 'answer';
      readonly file: number;
      readonly operation: number;
      readonly registration: number;
      readonly of: number;
      readonly callback: NotifierCallback;
      readonly outcome: Outcome;
    }
  /** The grace period of a registration that left is over; sections of it had been open. */
  | { readonly type: 'grace'; readonly file: number; readonly registration: number }
  /** Milliseconds on the clock of the memfile, for what follows. */
  | { readonly type: 'time'; readonly ms: number };

export const OUTCOMES = ['waits', 'done'] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Pages whose frames a consumer failed to let go of. */
export interface Untrusted extends PageRange {
  readonly consumer: string;
}

interface RangeEvent<Type extends string> {
  readonly type: Type;
  readonly file: number;
  readonly operation: number;
  readonly start: number;
  readonly end: number;
  readonly reason: Reason;
}

interface LeaseEvent<Type extends string> {
  readonly type: Type;
  readonly file: number;
  readonly registration: number;
  readonly offset: number;
  readonly pfn: number;
  readonly order: number;
}

/** What happens seldom; kept as a payload beside the rows. */
export type RareEvent =
  | {
      readonly type: 'createFile';
      readonly file: number;
      readonly name: string;
      readonly store: string;
      readonly pages: number;
      readonly flags: readonly FileFlag[];
      readonly seals: readonly Seal[];
      readonly options: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: 'resize';
      readonly file: number;
      readonly operation: number;
      readonly pages: number;
    }
  | { readonly type: 'seal'; readonly file: number; readonly seals: readonly Seal[] }
  | {
      readonly type: 'register';
      readonly file: number;
      readonly registration: number;
      readonly name: string;
      readonly start: number;
      readonly end: number;
      /** Of which side it has pages, when it is not both. */
      readonly access?: Side;
    }
  /** A callback threw, or what it asked to wait for rejected. */
  | {
      readonly type: 'failure';
      readonly file: number;
      readonly operation: number;
      readonly registration: number;
      readonly callback: NotifierCallback | 'observer';
      readonly message: string;
      /** With `invalidate`: who may use which pages still; absent in older journals. */
      readonly untrusted?: Untrusted;
    }
  /** A consumer that registers is told of pages that were there before it. */
  | {
      readonly type: 'replay';
      readonly file: number;
      readonly operation: number;
      readonly registration: number;
      readonly callback: 'prepare' | 'fallocate' | 'rollback';
      readonly start: number;
      readonly end: number;
    }
  | { readonly type: 'evict'; readonly file: number; readonly registration: number }
  | { readonly type: 'close'; readonly file: number }
  /** An event of a store's or an adapter's own: its type is `name`, and the rest of it `data`. */
  | {
      readonly type: 'plugin';
      readonly plugin: string;
      readonly name: string;
      readonly data: PluginData;
      /** Of its shape; 1 when absent. */
      readonly version?: number;
    }
  /**
   * A memfile begins to write, and goes on if there are events before. What the one before left open
   * is closed by the events that follow: so many invalidations and questions, so many registrations.
   * A journal that begins without this is recorded at level 'state'.
   */
  | {
      readonly type: 'open';
      readonly level: RecordLevel;
      readonly operations: number;
      readonly registrations: number;
    };

/**
 * What is recorded beside what follows from the operations: nothing; what consumers are told and
 * answer; or that with times.
 */
export const RECORD_LEVELS = ['state', 'deliveries', 'full'] as const;

export type RecordLevel = (typeof RECORD_LEVELS)[number];

/** Plain data of an event of somebody's own. */
export type PluginData = Readonly<Record<string, unknown>>;

/** One thing that happened; narrow it by `type`. */
export type JournalEvent = PageEvent | RareEvent;

export type EventType = JournalEvent['type'];

/** An event as a journal gives it back. */
export type Recorded<E extends JournalEvent = JournalEvent> = E & { readonly position: number };

/** In the order of their codes in a row: add at the end only. */
export const NOTIFIER_CALLBACKS = [
  'prepare',
  'fallocate',
  'rollback',
  'invalidate',
  'invalidateEnd',
  'error',
] as const;

/** What consumers are told of; the names of the callbacks of a notifier. */
export type NotifierCallback = (typeof NOTIFIER_CALLBACKS)[number];

/** One event as an observer is told it; ranges are pages, clipped to the range subscribed to. */
export interface Told<Type extends NotifierCallback = NotifierCallback> {
  readonly type: Type;
  readonly start: number;
  readonly end: number;
  /** Of the event in the journal; rises from event to event. */
  readonly position: number;
  readonly reason: Reason;
  /** With `invalidateEnd`: pages announced as leaving that stayed; absent when none did. */
  readonly kept?: readonly PageRange[] | undefined;
  /** With reason 'convert': what the pages are to become, or have become. */
  readonly conversion?: Conversion | undefined;
  /**
   * Keeps this reader section open until `promise` settles: the operation waits, and no frame is
   * reused before. Belongs to the synchronous part of the callback; returning a promise does the
   * same.
   * @throws MemfileError EINVAL when the synchronous part is over or it is no promise; EDEADLK when
   * it is a promise of this framework that cannot settle before this section is over.
   */
  waitUntil(promise: PromiseLike<unknown>): void;
}

/** What was populated as of `position`, clipped to the range subscribed to. */
export interface Snapshot {
  readonly type: 'snapshot';
  readonly ranges: readonly PageRange[];
  readonly position: number;
}

/** What an observer of a registration or of `notifications$` receives; narrow it by `type`. */
export type Notification =
  | Snapshot
  | Told<'prepare'>
  | Told<'fallocate'>
  | Told<'rollback'>
  | Told<'invalidate'>
  | Told<'invalidateEnd'>
  | Told<'error'>;
