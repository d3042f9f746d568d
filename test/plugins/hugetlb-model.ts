/** How many 4 KiB pages a huge page of 2 MiB has. */
export const HUGE = 512;

interface Place {
  /** What each 4 KiB page was written with last; undefined while there is no huge page. */
  contents: Uint8Array | undefined;
  promised: boolean;
  /** How many leases of its page are out. */
  readonly leases: Set<object>;
  /** Somebody failed to let go of a part of it, and it stayed. */
  untrusted: boolean;
}

interface ModelFile {
  places: Place[];
}

/**
 * What a pool of huge pages has to be, in closed form: it is as large as it was set to be, or as
 * large as what nobody can take from it, whichever is more. It counts nothing up or down.
 */
export class PoolModel {
  readonly files = new Map<number, ModelFile>();
  size: number;
  /** Pages that left their file while somebody held them. */
  readonly orphans: Set<object>[] = [];
  /** Pages that somebody failed to let go of. */
  leaked = 0;

  constructor(size: number) {
    this.size = size;
  }

  get counters(): Record<'total' | 'free' | 'reserved' | 'surplus', number> {
    const places = [...this.files.values()].flatMap((file) => file.places);
    const held = this.orphans.filter((leases) => leases.size > 0).length + this.leaked;
    const live = places.filter(({ contents }) => contents !== undefined).length + held;
    const reserved = places.filter((place) => place.promised && !place.contents).length;
    const total = Math.max(this.size, live + reserved);
    return { total, free: total - live, reserved, surplus: total - this.size };
  }

  get available(): number {
    const { free, reserved } = this.counters;
    return free - reserved;
  }

  /** Answers whether it could be created. */
  create(id: number, places: number, reserve: boolean): boolean {
    if (reserve && places > this.available) return false;
    this.files.set(id, { places: [] });
    this.#grow(id, places);
    for (const place of this.files.get(id)!.places) place.promised = reserve;
    return true;
  }

  /** The places that get a page, and whether these are all. */
  fallocate(id: number, start: number, end: number): { added: number[]; all: boolean } {
    this.#grow(id, Math.ceil(end / HUGE));
    const { places } = this.files.get(id)!;
    const added: number[] = [];
    for (let at = Math.floor(start / HUGE); at * HUGE < end; at++) {
      const place = places[at]!;
      if (place.contents !== undefined) continue;
      if (!place.promised && this.available === 0) return { added, all: false };
      place.contents = new Uint8Array(HUGE);
      added.push(at);
    }
    return { added, all: true };
  }

  undo(id: number, added: readonly number[]): void {
    for (const at of added) this.files.get(id)!.places[at]!.contents = undefined;
  }

  /** @param leaks whether somebody fails to let go. */
  punch(id: number, start: number, end: number, leaks = false): void {
    for (const [at, place] of this.files.get(id)!.places.entries()) {
      if (place.contents === undefined) continue;
      const [from, to] = [Math.max(start, at * HUGE), Math.min(end, (at + 1) * HUGE)];
      if (to - from === HUGE) {
        this.#leave(place, leaks);
        place.promised = false;
      } else if (from < to) {
        place.contents.fill(0, from - at * HUGE, to - at * HUGE);
        place.untrusted ||= leaks;
      }
    }
  }

  truncate(id: number, pages: number): void {
    const { places } = this.files.get(id)!;
    for (const place of places.slice(pages / HUGE)) {
      this.#leave(place, false);
      place.promised = false;
    }
    this.#grow(id, pages / HUGE);
  }

  close(id: number): void {
    this.truncate(id, 0);
    this.files.delete(id);
  }

  populated(id: number): number[] {
    const { places } = this.files.get(id)!;
    return [...places.keys()].filter((at) => places[at]!.contents !== undefined);
  }

  #leave(place: Place, leaks: boolean): void {
    if (place.contents !== undefined && (leaks || place.untrusted)) this.leaked++;
    else if (place.leases.size > 0) this.orphans.push(new Set(place.leases));
    place.leases.clear();
    place.untrusted = false;
    place.contents = undefined;
  }

  /** Places are never taken away, so that a file that grows again finds its old ones. */
  #grow(id: number, places: number): void {
    const file = this.files.get(id)!;
    while (file.places.length < places) {
      file.places.push({
        contents: undefined,
        promised: false,
        leases: new Set(),
        untrusted: false,
      });
    }
  }
}
