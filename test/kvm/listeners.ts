import type { Access, NotifierEvent, PageRange, Side } from '../../core/index.js';
import type { ConsumerWitness, Witness } from '../../adapters/witness.js';

/** An invalidation, as a consumer of the whole file was told of it. */
interface Heard extends PageRange {
  readonly file: number;
  readonly position: number;
  readonly tick: number;
  /** With a conversion: what it is to; who has access to that alone is not told. */
  readonly to: Side | undefined;
}

/** A registration of a VM, as it learnt of its place. */
interface Listener {
  readonly file: number;
  range: PageRange;
  access: Access;
  position: number;
  left: number;
  readonly told: Map<number, number>;
}

/** Who was told what, kept apart from those who were told: invariants 4 to 6. */
export class Listeners implements Witness {
  readonly broken = new Set<string>();
  readonly #listeners: Listener[] = [];
  readonly #begins: Heard[] = [];
  readonly #ends: Heard[] = [];
  /** Counts what the program does. */
  tick = 0;

  consumer(name: string, { id }: { readonly id: number }): ConsumerWitness {
    const nowhere = { start: 0, end: 0 };
    const listener: Listener = {
      file: id,
      range: nowhere,
      access: 'both',
      position: Infinity,
      left: Infinity,
      told: new Map(),
    };
    this.#listeners.push(listener);
    return {
      registered: ({ range, position, access = 'both' }) =>
        Object.assign(listener, { range, position, access }),
      told: (event) => {
        if (listener.left !== Infinity) {
          this.broken.add(`I5: "${name}" is told ${event.type} ${event.position} after it left`);
        }
        listener.told.set(event.position, (listener.told.get(event.position) ?? 0) + 1);
      },
      lookedUp: () => {},
      put: () => {},
      left: () => (listener.left = this.tick),
    };
  }

  heard(file: number, start: number, end: number, event: NotifierEvent): void {
    const { tick } = this;
    const to = event.conversion?.to;
    const heard = { file, start, end, position: event.position, tick, to };
    (event.type === 'invalidate' ? this.#begins : this.#ends).push(heard);
  }

  /** Whether an invalidation of the page has ended since `tick` that such a consumer is told of. */
  endedSince(file: number, page: number, tick: number, access: Access): boolean {
    return this.#ends.some(
      (end) =>
        end.tick > tick &&
        end.file === file &&
        page >= end.start &&
        page < end.end &&
        end.to !== access,
    );
  }

  /** Each who was there throughout is told each event of its range once, others at most once. */
  judge(): void {
    for (const { file, range, access, position, left, told } of this.#listeners) {
      for (const count of told.values()) {
        if (count > 1) this.broken.add(`I6: a listener is told ${count} times of one event`);
      }
      for (const event of [...this.#begins, ...this.#ends]) {
        const concerns = event.file === file && event.start < range.end && range.start < event.end;
        // An end is for those who were told the begin; the begins are enough to go by.
        const isBegin = this.#begins.includes(event);
        if (event.to === access) continue;
        if (!concerns || !isBegin || event.position < position || left <= event.tick) continue;
        if (!told.has(event.position)) {
          this.broken.add(`I6: a listener missed the event at position ${event.position}`);
        }
      }
    }
  }
}

/** Two witnesses of the same consumers. */
export function joined(a: Witness, b: Witness): Witness {
  return {
    consumer(name, file) {
      const both = [a.consumer(name, file), b.consumer(name, file)];
      return {
        registered: (place) => both.forEach((one) => one.registered(place)),
        told: (event, start, end) => both.forEach((one) => one.told(event, start, end)),
        refused: (start, end) => both.forEach((one) => one.refused?.(start, end)),
        lookedUp: (lease) => both.forEach((one) => one.lookedUp(lease)),
        put: (lease) => both.forEach((one) => one.put(lease)),
        left: () => both.forEach((one) => one.left()),
      };
    },
  };
}
