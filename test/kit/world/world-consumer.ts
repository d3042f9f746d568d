import type { Subscription } from 'rxjs';
import type { ConsumerWitness } from '../../../adapters/witness.js';
import type {
  Access,
  Conversion,
  MemfileError,
  MemoryFile,
  NotifierEvent,
  PageRange,
  Registration,
  Side,
} from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';
import type { Behaviour } from './program.js';
import { Room } from './room.js';

/** One operation that the program submitted, and what became of it. */
export interface SubmittedOperation {
  readonly kind: 'fallocate' | 'punch' | 'truncate' | 'convert' | 'poison' | 'close' | 'register';
  readonly file: number;
  readonly range: PageRange;
  /** What it waits for others by: the range, widened to what the store may touch. */
  readonly widest: PageRange;
  readonly abort: AbortController;
  /** Submitted from inside a callback. */
  readonly nested: boolean;
  outcome: 'pending' | 'done' | MemfileError;
  /** With a conversion; one that zeroes can fail where nothing changes sides. */
  to?: Side;
  zeroes?: boolean;
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
  readonly conversion: Conversion | undefined;
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
  readonly access: Access;
  readonly budget: Room | undefined;
  /** What it can use, by what it was told. */
  readonly usable = new PageSet();
  /** Invalidations that it was told the begin of and not the end. */
  readonly open: PageRange[] = [];
  /** What it was told before it learnt of its place. */
  readonly #early: Delivery[] = [];
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
  /** Asked before pages come to it. */
  votes = false;
  failures = 0;

  constructor(
    name: string,
    file: MemoryFile,
    range: PageRange,
    behaviours: readonly Behaviour[],
    witness: ConsumerWitness,
    access: Access,
    budget: number,
  ) {
    this.name = name;
    this.file = file;
    this.range = range;
    this.behaviours = behaviours;
    this.witness = witness;
    this.access = access;
    this.budget = budget === 0 ? undefined : new Room(budget, this.usable);
  }

  /** It learns of its place, maybe after it was told of events there. */
  placed(place: NonNullable<Consumer['place']>): void {
    this.place = place;
    this.usable.clear();
    for (const { start, end } of place.snapshot) this.usable.add(start, end);
    for (const delivery of this.#early) this.#account(delivery);
  }

  heard(delivery: Delivery): void {
    const { type, start, end, reason, conversion } = delivery;
    this.#account(delivery);
    if (this.place === undefined) this.#early.push(delivery);
    const gains = conversion === undefined ? reason !== 'replay' : conversion.to === this.access;
    this.budget?.heard(type, delivery, gains);
    if (type === 'invalidate') this.open.push({ start, end });
    if (type !== 'invalidateEnd') return;
    const at = this.open.findIndex((range) => range.start === start && range.end === end);
    this.open.splice(at, 1);
  }

  #account({ type, start, end, kept }: Delivery): void {
    if (type === 'fallocate') this.usable.add(start, end);
    if (type !== 'invalidateEnd') return;
    this.usable.remove(start, end);
    for (const range of kept) this.usable.add(range.start, range.end);
  }
}
