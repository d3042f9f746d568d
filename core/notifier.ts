import type { Notification, Told } from './event.js';

/** The file that an event is about; a `MemoryFile`. */
export interface NotifiedFile {
  readonly id: number;
  readonly name: string;
  readonly pages: number;
}

/** What a callback is told beside the range; one object serves every consumer of a pass. */
export interface NotifierEvent extends Omit<Told, 'start' | 'end'> {
  readonly file: NotifiedFile;
}

export type NotifierFunction = (
  start: number,
  end: number,
  event: NotifierEvent,
) => void | PromiseLike<unknown>;

/**
 * A consumer of a memory file: `memfile_notifier` of the patch, with both ends of an invalidation.
 *
 * Every callback gets pages `[start, end)` clipped to the range of the registration. A callback
 * that throws or rejects never disturbs others; the operation that told it rejects with EIO.
 */
export interface Notifier {
  readonly name?: string;
  /**
   * Pages `[start, end)` may arrive, if nobody objects: throw, or return a promise that rejects, to
   * refuse. Told in the order of registration. Nobody can look them up yet; `fallocate` of the same
   * range follows, or `rollback`.
   */
  readonly prepare?: NotifierFunction | undefined;
  /** Pages have arrived and can be looked up. Told in the order of registration. */
  readonly fallocate?: NotifierFunction | undefined;
  /**
   * What was prepared does not happen, because somebody refused. Told in the reverse order of
   * `prepare`, to those who had agreed.
   */
  readonly rollback?: NotifierFunction | undefined;
  /**
   * Pages are about to leave: let go of them. Told newest registration first. They are freed when
   * every consumer has; until the end, a lookup still answers the old frame.
   */
  readonly invalidate?: NotifierFunction | undefined;
  /** They have left, apart from `event.kept`. Told in the reverse order of `invalidate`. */
  readonly invalidateEnd?: NotifierFunction | undefined;
  /**
   * Pages have a hardware error: they are there, and cannot be looked up (EHWPOISON) until they are
   * punched. Their invalidation is over. Told in the order of registration.
   */
  readonly error?: NotifierFunction | undefined;
}

/** An observer that takes part, as it is told. */
export interface Participant {
  readonly observer: object;
  /** Its own `next`: looked up anew on observers of many classes it costs more than the call. */
  readonly next: ((value: Notification) => unknown) | undefined;
}
