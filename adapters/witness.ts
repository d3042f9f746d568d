import type { Access, Lease, NotifierEvent, PageRange } from '../core/index.js';

/** The file that a consumer watches, as a witness needs it. */
export interface WitnessedFile {
  readonly id: number;
  readonly name: string;
  readonly store: string;
}

/**
 * Somebody who stands beside consumers and sees only what they see: what they are told and what
 * they look up. A second opinion on the engine is built from that alone.
 */
export interface Witness {
  consumer(name: string, file: WitnessedFile): ConsumerWitness;
}

export interface ConsumerWitness {
  /** It has its place in the list, as of `position`. */
  registered(place: {
    readonly range: PageRange;
    readonly snapshot: readonly PageRange[];
    readonly position: number;
    /** Which pages are its business; 'both' by default. */
    readonly access?: Access;
  }): void;
  /** A callback begins, for its clipped range. */
  told(event: NotifierEvent, start: number, end: number): void;
  /** It objected to pages `[start, end)` when asked to prepare for them. */
  refused?(start: number, end: number): void;
  lookedUp(lease: Lease): void;
  put(lease: Lease): void;
  /** It has left, or was made to; saying so twice is saying so once. */
  left(): void;
}
