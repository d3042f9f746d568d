import { Audience } from './audience.js';
import { merged, MixedAudience } from './mixed-audience.js';
import { RangeIndex } from './range-index.js';
import { STRETCH } from './row-calls.js';
import type { Member, Seat } from './seat.js';
import { Stretches } from './stretches.js';

/** A registration as its list sees it. */
export interface Listed<Self extends Member> extends Member {
  readonly seat: Seat<Self>;
  /** Whether it is asked before pages arrive. */
  readonly votes: boolean;
}

/**
 * The registrations of one memory file, by range.
 *
 * Those of the whole file, or of all of it that events were of so far, stand in a plain array by age;
 * the others in an index, so that a pass costs what it overlaps and not how many there are.
 */
export class NotifierList<T extends Listed<T>> {
  readonly #whole: (Seat<T> | undefined)[] = [];
  #removed = 0;
  /** The least end of a range of those: an event beyond it does not concern all of them. */
  #covered = Infinity;
  /** What begins at 0 has to end here, or later, to have every event so far in it. */
  #reach = 0;
  /** Those of `#whole` that are there, until that changes. */
  #everywhere: Audience<T> | undefined;
  readonly #ranged = new RangeIndex<Seat<T>>();
  /** Where the ranges of all are, and whom it concerns; once that has stayed as it is for a while. */
  #stretches: Stretches<T> | undefined;
  /** How many events there were since somebody came or left. */
  #lookups = 0;
  #voters = 0;
  #patience: number;
  readonly #many: number;

  /**
   * @param patience how often those of the whole file are told, unchanged, before that is compiled.
   * @param many of how many ranges it is known at most whom each stretch concerns.
   */
  constructor(patience = PATIENCE, many = MANY) {
    this.#patience = patience;
    this.#many = many;
  }

  get size(): number {
    return this.#whole.length - this.#removed + this.#ranged.size;
  }

  /** How many of them are asked before pages arrive. */
  get voters(): number {
    return this.#voters;
  }

  add({ seat, votes }: T): void {
    if (votes) this.#voters++;
    const isWhole = seat.start === 0 && seat.end >= this.#reach;
    seat.place = isWhole ? this.#whole.length : RANGED;
    this.changed(seat);
    if (!isWhole) {
      this.#ranged.add(seat);
      return;
    }
    this.#whole.push(seat);
    if (seat.whole) return;
    this.#reach = seat.end;
    this.#covered = Math.min(this.#covered, seat.end);
  }

  delete({ seat, votes }: T): void {
    if (votes) this.#voters--;
    this.changed(seat);
    seat.direct = false;
    if (seat.place === RANGED) this.#ranged.delete(seat);
    else this.#vacate(seat);
  }

  /** Takes it out of those of the whole file. */
  #vacate(seat: Seat<T>): void {
    this.#whole[seat.place] = undefined;
    this.#removed++;
    if (this.#removed * 2 <= this.#whole.length) return;
    let kept = 0;
    for (const other of this.#whole) {
      if (other === undefined) continue;
      other.place = kept;
      this.#whole[kept++] = other;
    }
    this.#whole.length = kept;
    this.#removed = 0;
  }

  /** An event reaches as far as `end`: whoever does not is one of those with a range. */
  #narrow(end: number): void {
    const reach = Math.max(this.#reach, end);
    this.#reach = reach;
    this.#covered = Infinity;
    for (const seat of this.#whole.filter((seat) => seat !== undefined)) {
      if (seat.whole) continue;
      if (seat.end >= reach) {
        this.#covered = seat.end;
        continue;
      }
      this.changed(seat);
      this.#vacate(seat);
      seat.place = RANGED;
      this.#ranged.add(seat);
    }
  }

  /** It has come, will go, or has other observers. */
  changed(seat: Seat<T>): void {
    const { access, observed } = seat.member;
    seat.direct = access === 'both' && !observed;
    this.#lookups = 0;
    this.#stretches?.outdate();
    this.#stretches = undefined;
    if (seat.place === RANGED) return;
    if (this.#everywhere?.outdate()) this.#patience *= 2;
    this.#everywhere = undefined;
  }

  /**
   * Those that `[start, end)` concerns, in the order of registration, as of now: whoever leaves
   * meanwhile is still among them.
   */
  concerned(start = 0, end = Infinity): Audience<T> {
    if (end > this.#covered && end < Infinity) this.#narrow(end);
    const everywhere = this.#everywhere ?? this.#gather();
    if (this.#ranged.size === 0) return everywhere;
    return this.#stretches?.get(start, end) ?? this.#lookUp(everywhere, start, end);
  }

  #gather(): Audience<T> {
    const seats = this.#whole.filter((seat) => seat !== undefined);
    return (this.#everywhere = new Audience(seats, true, this.#patience));
  }

  #lookUp(everywhere: Audience<T>, start: number, end: number): Audience<T> {
    const stretches = (this.#stretches ??= this.#divide());
    const stretch = stretches === undefined ? -1 : stretches.find(start, end);
    const lasting = stretch >= 0 && stretches!.hasRoom;
    const found = this.#ranged.overlapping(start, end);
    if (found.length === 0) {
      if (lasting) stretches!.share(stretch, everywhere);
      return everywhere;
    }
    byAge(found);
    if (!lasting && everywhere.size >= STRETCH) return new MixedAudience(everywhere, found);
    const { seats } = everywhere;
    const audience = new Audience(seats.length === 0 ? found : merged(seats, found), lasting);
    if (lasting) stretches!.set(stretch, audience);
    return audience;
  }

  /** After as many events as there are ranges: then it costs no more than those did. */
  #divide(): Stretches<T> | undefined {
    const { size } = this.#ranged;
    if (size > this.#many || ++this.#lookups < size) return undefined;
    return new Stretches(this.#ranged.overlapping(0, Infinity));
  }
}

/** The place of those in the index. */
const RANGED = -1;

/** New code is slow at first: until an engine has compiled it in turn, it has cost what this many save. */
const PATIENCE = 1024;

/** Of more ranges than that, what is kept of them would not be in a cache when it is wanted. */
const MANY = 4096;

/**
 * Most are in order already: those that begin together come by age. Few others are put in their place
 * sooner by hand than by a call into the runtime; so many moves for each are worth it.
 */
function byAge(found: { readonly order: number }[]): void {
  let moves = WORTH * found.length;
  for (let i = 1; i < found.length && moves > 0; i++) {
    const moving = found[i]!;
    let at = i;
    for (; at > 0 && found[at - 1]!.order > moving.order; at--) found[at] = found[at - 1]!;
    found[at] = moving;
    moves -= i - at;
  }
  if (moves <= 0) found.sort((a, b) => a.order - b.order);
}

const WORTH = 16;
