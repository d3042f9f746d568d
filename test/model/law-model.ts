import type { Lease, NotifierEvent, PageRange } from '../../core/index.js';
import type { ConsumerWitness, Witness, WitnessedFile } from '../../adapters/witness.js';
import { FrameModel, type Broken } from './frame-model.js';
import { LAWS } from './laws.js';
import { PageSet } from './page-set.js';

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
/** How far back consumers may be from one another in being told the same event. */
const REMEMBERED = 10_000;

/**
 * A second opinion: checks the laws from what consumers were told and looked up, and from nothing
 * else. It shares no code with the core and never sees the engine's state.
 */
export class LawModel implements Witness {
  readonly violations: Violation[] = [];
  /** All of them, also those not kept. */
  count = 0;
  readonly #frames = new Map<string, FrameModel>();
  readonly #events = new Map<number, string>();
  readonly #consumers = new Set<ConsumerModel>();

  consumer(name: string, file: WitnessedFile): ConsumerWitness {
    let frames = this.#frames.get(file.store);
    if (frames === undefined) this.#frames.set(file.store, (frames = new FrameModel()));
    const report = (law: number, detail: string): void => {
      this.count++;
      if (this.violations.length >= KEPT) return;
      this.violations.push({ law, name: LAWS[law]!, consumer: name, file: file.id, detail });
    };
    const consumer = new ConsumerModel(file.id, frames, report, (event) => this.#agrees(event));
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Everything is over: nothing may be open any more. Answers the violations. */
  finish(): readonly Violation[] {
    for (const consumer of this.#consumers) consumer.finish();
    this.#consumers.clear();
    return this.violations;
  }

  /** Whether every consumer is told the same at the same position. */
  #agrees({ position, type, reason, file }: NotifierEvent): boolean {
    const what = `${type} ${reason} ${file.id}`;
    const known = this.#events.get(position);
    if (known !== undefined) return known === what;
    this.#events.set(position, what);
    if (this.#events.size > REMEMBERED) this.#events.delete(this.#events.keys().next().value!);
    return true;
  }
}

class ConsumerModel implements ConsumerWitness {
  readonly #file: number;
  readonly #frames: FrameModel;
  readonly #report: (law: number, detail: string) => void;
  readonly #agrees: (event: NotifierEvent) => boolean;
  readonly #there = new PageSet();
  /** What it was asked to prepare for, agreed to, and heard nothing of since. */
  readonly #prepared = new PageSet();
  #asked = false;
  /** How many invalidations of exactly this range have begun and not ended. */
  readonly #open = new Map<string, number>();
  #leases = 0;
  #range: PageRange = { start: 0, end: 0 };
  #position = 0;
  #here = false;
  /** What it was told before it learnt of its own place: `register` resolves later than it acts. */
  #early: (() => void)[] | undefined = [];

  constructor(
    file: number,
    frames: FrameModel,
    report: (law: number, detail: string) => void,
    agrees: (event: NotifierEvent) => boolean,
  ) {
    this.#file = file;
    this.#frames = frames;
    this.#report = report;
    this.#agrees = agrees;
  }

  registered(place: {
    readonly range: PageRange;
    readonly snapshot: readonly PageRange[];
    readonly position: number;
  }): void {
    this.#here = true;
    this.#range = place.range;
    this.#position = place.position;
    for (const { start, end } of place.snapshot) {
      if (start < place.range.start || end > place.range.end) {
        this.#report(7, `the snapshot has [${start}, ${end}), outside its range`);
      }
      this.#there.add(start, end);
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
    const what = (): string => `${event.type} [${start}, ${end}) at ${event.position}`;
    if (!this.#here) this.#report(6, `${what()} while it is not registered`);
    if (event.position <= this.#position) {
      this.#report(1, `${what()} after an event at ${this.#position}`);
    }
    this.#position = event.position;
    if (start >= end || start < this.#range.start || end > this.#range.end) {
      this.#report(7, `${what()}, outside [${this.#range.start}, ${this.#range.end})`);
    }
    if (!this.#agrees(event)) this.#report(1, `${what()}: another was told something else there`);
    switch (event.type) {
      case 'prepare':
        this.#asked = true;
        if (event.reason !== 'replay' && this.#there.touches(start, end)) {
          this.#report(8, `${what()}, which is there already`);
        }
        if (this.#prepared.touches(start, end)) this.#report(8, `${what()} a second time`);
        this.#prepared.add(start, end);
        break;
      case 'rollback':
        if (!this.#prepared.covers(start, end))
          this.#report(8, `${what()} of what it never agreed to`);
        this.#prepared.remove(start, end);
        break;
      case 'fallocate':
        if (this.#asked && !this.#prepared.covers(start, end)) {
          this.#report(8, `${what()} without being asked`);
        }
        this.#prepared.remove(start, end);
        if (event.reason !== 'replay' && this.#there.touches(start, end))
          this.#report(5, `${what()}, which was there already`);
        this.#there.add(start, end);
        break;
      case 'invalidate':
        this.#count(start, end, 1);
        break;
      case 'invalidateEnd':
        if (this.#count(start, end, -1) < 0) this.#report(3, `${what()}, which had not begun`);
        this.#gone(start, end, event.kept ?? []);
        break;
    }
  }

  refused(start: number, end: number): void {
    if (this.#early === undefined) this.#prepared.remove(start, end);
    else this.#early.push(() => this.refused(start, end));
  }

  lookedUp({ offset, pfn }: Lease): void {
    this.#leases++;
    if (this.#prepared.has(offset)) this.#report(8, `looked page ${offset} up before it arrived`);
    if (!this.#there.has(offset)) {
      this.#report(4, `looked page ${offset} up, which by all it was told is not there`);
    }
    const broken: Broken | undefined = this.#frames.lookedUp(this.#file, offset, pfn);
    if (broken !== undefined) this.#report(broken.law, broken.detail);
  }

  put({ pfn }: Lease): void {
    this.#leases--;
    if (this.#leases < 0) this.#report(9, `put frame ${pfn} more often than it looked up`);
    this.#frames.put(pfn);
  }

  left(): void {
    this.#here = false;
    this.#early = undefined;
    this.#open.clear();
    this.#prepared.clear();
  }

  finish(): void {
    if ((this.#early?.length ?? 0) > 0) this.#report(6, 'was told events and never registered');
    for (const { start, end } of this.#prepared.within(0, Infinity)) {
      this.#report(8, `never heard again of [${start}, ${end}), which it was asked about`);
    }
    for (const range of this.#open.keys()) {
      this.#report(3, `the invalidation of ${range} was never ended`);
    }
    if (this.#leases > 0) this.#report(9, `${this.#leases} leases were never put`);
  }

  #count(start: number, end: number, by: 1 | -1): number {
    const range = `[${start}, ${end})`;
    const count = (this.#open.get(range) ?? 0) + by;
    if (count > 0) this.#open.set(range, count);
    else this.#open.delete(range);
    return count;
  }

  #gone(start: number, end: number, kept: readonly PageRange[]): void {
    let from = start;
    for (const range of [...kept, { start: end, end }]) {
      if (range.start > from) {
        this.#there.remove(from, range.start);
        this.#frames.gone(this.#file, from, range.start);
      }
      from = Math.max(from, range.end);
    }
  }
}
