import type { Subscription } from 'rxjs';
import type { ConsumerWitness } from '../../../adapters/witness.js';
import type {
  MemfileError,
  MemoryFile,
  NotifierEvent,
  PageRange,
  Registration,
} from '../../../core/index.js';
import type { Behaviour } from './program.js';

/** One operation that the program submitted, and what became of it. */
export interface SubmittedOperation {
  readonly kind: 'fallocate' | 'punch' | 'truncate' | 'close' | 'register';
  readonly file: number;
  readonly range: PageRange;
  /** What it waits for others by: the range, widened to what the store may touch. */
  readonly widest: PageRange;
  readonly abort: AbortController;
  /** Submitted from inside a callback. */
  readonly nested: boolean;
  outcome: 'pending' | 'done' | MemfileError;
}

/** One delivery to one consumer. */
export interface Delivery {
  readonly consumer: Consumer;
  readonly type: NotifierEvent['type'];
  readonly start: number;
  readonly end: number;
  readonly position: number;
  readonly reason: string;
  readonly kept: readonly PageRange[];
  /** The step of the program in which it came. */
  readonly step: number;
}

/** What one callback is still doing. */
export interface Call {
  readonly consumer: Consumer;
  readonly name: string;
  /** Of the event that it was called for. */
  readonly position: number;
  readonly type: NotifierEvent['type'];
  readonly start: number;
  readonly end: number;
  /** Pieces of its work that are not over. */
  working: number;
  failed: boolean;
}

/** Work that a callback left behind; a later step settles it. */
export interface Work {
  readonly call: Call;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Consumer {
  readonly name: string;
  readonly file: MemoryFile;
  readonly range: PageRange;
  readonly behaviours: readonly Behaviour[];
  registration: Registration | undefined;
  subscription: Subscription | undefined;
  /** Its registration, as an operation. */
  operation: SubmittedOperation | undefined;
  witness: ConsumerWitness;
  calls = 0;
  /** Pieces of its work that are not over, its callback included. */
  working = 0;
  /** Its place in the list, as it learnt of it. */
  place: { readonly position: number; readonly snapshot: readonly PageRange[] } | undefined;
  /** How many deliveries there had been in all when it left. */
  leftAt = Infinity;
  /** Its `unregister()` has resolved. */
  gone = false;
  left = false;
  evicted = false;
  failures = 0;

  constructor(
    name: string,
    file: MemoryFile,
    range: PageRange,
    behaviours: readonly Behaviour[],
    witness: ConsumerWitness,
  ) {
    this.name = name;
    this.file = file;
    this.range = range;
    this.behaviours = behaviours;
    this.witness = witness;
  }
}
