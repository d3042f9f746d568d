import type { Access, Lease, NotifierEvent, PageRange } from '../../core/index.js';
import type { ConsumerWitness, Witness, WitnessedFile } from '../../adapters/witness.js';
import { FrameModel } from './frame-model.js';
import { LAWS } from './laws.js';
import { PageSet } from './page-set.js';
import { ToldEvents } from './told-events.js';

/** A law of the design that was seen broken. */
export interface Violation {
  readonly law: number;
  readonly name: string;
  readonly consumer: string;
  readonly file: number;
  readonly detail: string;
}

/** How many violations are kept; the others are counted. */
const KEPT = 100;
/** The consumers that are in the list of one file, by the pages that they can use. */
type Members = { [A in Access]: Set<ConsumerModel> | undefined };

/** What is known of the frames of a store; nothing until somebody looks a page up. */
interface Store {
  frames: FrameModel | undefined;
}

/**
 * A second opinion: checks the laws from what consumers were told and looked up, and from nothing
 * else. It shares no code with the core and never sees the engine's state.
 */
export class LawModel implements Witness {
  readonly violations: Violation[] = [];
  /** All of them, also those not kept. */
  count = 0;
  readonly #stores = new Map<string, Store>();
  /** By store and file. */
  readonly #members = new Map<string, Members>();
  readonly #told = new ToldEvents();
  /** Those of whom something may still be open. */
  readonly #consumers = new Set<ConsumerModel>();

  consumer(name: string, file: WitnessedFile): ConsumerWitness {
    let store = this.#stores.get(file.store);
    if (store === undefined) this.#stores.set(file.store, (store = { frames: undefined }));
    const key = `${file.store} ${file.id}`;
    let members = this.#members.get(key);
    if (members === undefined) {
      members = { both: undefined, private: undefined, shared: undefined };
      this.#members.set(key, members);
    }
    const report = (law: number, detail: string): void => {
      this.count++;
      if (this.violations.length >= KEPT) return;
      this.violations.push({ law, name: LAWS[law]!, consumer: name, file: file.id, detail });
    };
    const unsettled = this.#consumers;
    const consumer = new ConsumerModel(file.id, members, store, report, this.#told, unsettled);
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Everything is over: nothing may be open any more. Answers the violations. */
  finish(): readonly Violation[] {
    for (const consumer of this.#consumers) consumer.finish();
    this.#consumers.clear();
    return this.violations;
  }
}

class ConsumerModel implements ConsumerWitness {
  readonly #file: number;
  readonly #members: Members;
  readonly #store: Store;
  readonly #report: (law: number, detail: string) => void;
  readonly #told: ToldEvents;
  readonly #there = new PageSet();
  /** What it was asked to prepare for, agreed to, and heard nothing of since. */
  readonly #prepared = new PageSet();
  /** What it agreed to give up in a conversion that has not begun; what it has given up since. */
  readonly #giving = new PageSet();
  readonly #given = new PageSet();
  #access: Access = 'both';
  #asked = false;
  /** The invalidations that have begun and not ended. */
  readonly #open: PageRange[] = [];
  #leases = 0;
  #range: PageRange = { start: 0, end: 0 };
  #position = 0;
  #here = false;
  /** What it was told before it learnt of its own place: `register` resolves later than it acts. */
  #early: (() => void)[] | undefined = [];
  /** All of whom something may be open. */
  readonly #unsettled: Set<ConsumerModel>;

  constructor(
    file: number,
    members: Members,
    store: Store,
    report: (law: number, detail: string) => void,
    told: ToldEvents,
    unsettled: Set<ConsumerModel>,
  ) {
    this.#file = file;
    this.#members = members;
    this.#unsettled = unsettled;
    this.#store = store;
    this.#report = report;
    this.#told = told;
  }

  registered(place: {
    readonly range: PageRange;
    readonly snapshot: readonly PageRange[];
    readonly position: number;
    readonly access?: Access;
  }): void {
    this.#here = true;
    this.#access = place.access ?? 'both';
    (this.#members[this.#access] ??= new Set()).add(this);
    this.#range = place.range;
    this.#position = place.position;
    for (const { start, end } of place.snapshot) {
      if (start < place.range.start || end > place.range.end) {
        this.#report(7, `the snapshot has [${start}, ${end}), outside its range`);
      }
      this.#there.add(start, end);
      this.#expectAlone(start, end, undefined);
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const told of early) told();
  }

  told(event: NotifierEvent, start: number, end: number): void {
    if (this.#early !== undefined) {
      this.#early.push(() => this.told(event, start, end));
      return;
    }
    const { position, type } = event;
    if (!this.#here) {
      this.#unsettled.add(this);
      this.#broke(6, event, start, end, ' while it is not registered');
    }
    if (position <= this.#position) {
      this.#broke(1, event, start, end, ` after an event at ${this.#position}`);
    }
    this.#position = position;
    if (start >= end || start < this.#range.start || end > this.#range.end) {
      const outside = `, outside [${this.#range.start}, ${this.#range.end})`;
      this.#broke(7, event, start, end, outside);
    }
    if (!this.#told.agrees(event)) {
      this.#broke(1, event, start, end, ': another was told something else there');
    }
    switch (type) {
      case 'prepare':
        this.#prepare(event, start, end);
        break;
      case 'rollback':
        if (!this.#agreed(start, end)) {
          this.#broke(8, event, start, end, ' of what it never agreed to');
        }
        for (const set of [this.#prepared, this.#giving, this.#given]) set.remove(start, end);
        break;
      case 'fallocate':
        this.#arrive(event, start, end);
        break;
      case 'invalidate':
        this.#open.push({ start, end });
        if (event.reason === 'convert') this.#give(event, start, end);
        break;
      case 'invalidateEnd':
        this.#end(event, start, end);
        break;
      case 'error':
        if (this.#there.touches(start, end)) {
          this.#broke(4, event, start, end, ' of pages it still has');
        }
        if (event.reason === 'poison') this.#store.frames?.poisoned(this.#file, start, end);
        break;
    }
  }

  refused(start: number, end: number): void {
    if (this.#early === undefined) {
      this.#prepared.remove(start, end);
      this.#giving.remove(start, end);
    } else this.#early.push(() => this.refused(start, end));
  }

  lookedUp({ offset, pfn }: Lease): void {
    this.#leases++;
    if (!this.#here) this.#unsettled.add(this);
    if (this.#prepared.has(offset)) this.#report(8, `looked page ${offset} up before it arrived`);
    if (!this.#there.has(offset)) {
      this.#report(4, `looked page ${offset} up, which by all it was told is not there`);
    }
    const frames = (this.#store.frames ??= new FrameModel());
    const broken = frames.lookedUp(this.#file, offset, pfn);
    if (broken !== undefined) this.#report(broken.law, broken.detail);
  }

  put({ pfn }: Lease): void {
    this.#leases--;
    if (this.#leases < 0) this.#report(9, `put frame ${pfn} more often than it looked up`);
    this.#store.frames?.put(pfn);
    if (!this.#here) this.#settle();
  }

  left(): void {
    if (this.#here) this.#forget();
    this.#here = false;
    this.#early = undefined;
    this.#open.length = 0;
    this.#members[this.#access]?.delete(this);
    this.#prepared.clear();
    this.#giving.clear();
    this.#given.clear();
    this.#settle();
  }

  finish(): void {
    if ((this.#early?.length ?? 0) > 0) this.#report(6, 'was told events and never registered');
    for (const asked of [this.#prepared, this.#giving]) {
      for (const { start, end } of asked.within(0, Infinity)) {
        this.#report(8, `never heard again of [${start}, ${end}), which it was asked about`);
      }
    }
    for (const { start, end } of this.#open) {
      this.#report(3, `the invalidation of [${start}, ${end}) was never ended`);
    }
    if (this.#leases > 0) this.#report(9, `${this.#leases} leases were never put`);
  }

  #prepare(event: NotifierEvent, start: number, end: number): void {
    this.#asked = true;
    if (this.#prepared.touches(start, end) || this.#giving.touches(start, end)) {
      this.#broke(8, event, start, end, ' a second time');
    }
    if (this.#gives(event)) {
      this.#given.remove(start, end);
      this.#giving.add(start, end);
      return;
    }
    if (event.reason !== 'replay' && this.#there.touches(start, end)) {
      this.#broke(8, event, start, end, ', which is there already');
    }
    this.#prepared.add(start, end);
  }

  #arrive(event: NotifierEvent, start: number, end: number): void {
    const { conversion } = event;
    if (conversion !== undefined && conversion.to !== this.#access) {
      this.#broke(8, event, start, end, `, a conversion to ${conversion.to} pages`);
    }
    if (this.#asked && !this.#prepared.covers(start, end)) {
      this.#broke(8, event, start, end, ' without being asked');
    }
    if (!this.#prepared.empty) this.#prepared.remove(start, end);
    if (this.#there.add(start, end) && event.reason !== 'replay') {
      this.#broke(5, event, start, end, ', which was there already');
    }
    this.#expectAlone(start, end, event);
  }

  /** A conversion takes the pages. */
  #give(event: NotifierEvent, start: number, end: number): void {
    if (!this.#gives(event)) {
      this.#broke(8, event, start, end, ', which is what it has access to');
    }
    if (this.#asked && !this.#giving.covers(start, end)) {
      this.#broke(8, event, start, end, ' without being asked');
    }
  }

  #end(event: NotifierEvent, start: number, end: number): void {
    if (!this.#ended(start, end)) this.#broke(3, event, start, end, ', which had not begun');
    if (event.reason === 'convert') {
      this.#giving.remove(start, end);
      if (this.#asked) this.#given.add(start, end);
    }
    const kept = event.kept ?? NONE;
    for (const range of kept) {
      if (range.start < start || range.end > end || !this.#there.covers(range.start, range.end)) {
        const stayed = `: [${range.start}, ${range.end}) stayed, and was not there`;
        this.#broke(4, event, start, end, stayed);
      }
    }
    this.#gone(start, end, kept, event.reason);
  }

  /** A law is broken in what it was told. */
  #broke(law: number, event: NotifierEvent | undefined, start: number, end: number, why: string) {
    const what =
      event === undefined
        ? 'the snapshot'
        : `${event.type} [${start}, ${end}) at ${event.position}`;
    this.#report(law, `${what}${why}`);
  }

  /** Nobody is left to be told when these pages go: which frames they have is not known any more. */
  #forget(): void {
    const unseen = new PageSet();
    unseen.add(this.#range.start, this.#range.end);
    let alone = true;
    const { both, private: of, shared } = this.#members;
    for (const members of [both, of, shared]) {
      for (const other of members ?? NONE) {
        if (other === this) continue;
        alone = false;
        unseen.remove(other.#range.start, other.#range.end);
      }
    }
    for (const { start, end } of unseen.within(0, Infinity)) {
      this.#store.frames?.gone(this.#file, start, end);
    }
    if (alone) this.#store.frames?.forget(this.#file);
  }

  /** It has left: nobody has to look at it at the end, unless it holds leases. */
  #settle(): void {
    if (this.#leases === 0) this.#unsettled.delete(this);
  }

  /** Takes an invalidation of exactly this range out of those that are open, if there is one. */
  #ended(start: number, end: number): boolean {
    const open = this.#open;
    for (let i = 0; i < open.length; i++) {
      if (open[i]!.start !== start || open[i]!.end !== end) continue;
      open[i] = open.at(-1)!; // In what order they began is not asked.
      open.pop();
      return true;
    }
    return false;
  }

  /** Whether it has to give up what is converted. */
  #gives({ conversion }: NotifierEvent): boolean {
    return conversion !== undefined && conversion.to !== this.#access;
  }

  /** Whether it was asked about all of this, and nothing has come of it that cannot be undone. */
  #agreed(start: number, end: number): boolean {
    return [this.#prepared, this.#giving, this.#given].some((set) => set.covers(start, end));
  }

  /** Nobody who can use pages of the other side alone has these pages. */
  #expectAlone(start: number, end: number, event: NotifierEvent | undefined): void {
    if (this.#access === 'both') return;
    const opposite = this.#access === 'private' ? 'shared' : 'private';
    const others = this.#members[opposite];
    if (others === undefined) return;
    for (const other of others) {
      if (!other.#there.touches(start, end)) continue;
      this.#broke(4, event, start, end, `: one with access to ${opposite} pages has them`);
    }
  }

  #gone(start: number, end: number, kept: readonly PageRange[], reason: string): void {
    // What is converted or has an error leaves the consumer; the page keeps its frame.
    const stays = reason === 'convert' || reason === 'poison';
    let from = start;
    for (const range of kept) {
      this.#leaves(from, range.start, stays);
      from = Math.max(from, range.end);
    }
    this.#leaves(from, end, stays);
  }

  #leaves(start: number, end: number, stays: boolean): void {
    if (start >= end) return;
    this.#there.remove(start, end);
    if (!stays) this.#store.frames?.gone(this.#file, start, end);
  }
}

const NONE: readonly never[] = [];
