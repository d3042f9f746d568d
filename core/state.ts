import { OwnStates } from './own-states.js';
import type { FileFlag, PluginData, Reason, Seal, Untrusted } from './event.js';
import type { Extents } from './extents.js';
import type { PageRange } from './page-range.js';
import type { LeaseCounts } from './lease-counts.js';
import type { SmallMap } from './small-map.js';

/** A memory file as the journal knows it. */
export interface FileState {
  readonly id: number;
  readonly name: string;
  readonly store: string;
  readonly flags: readonly FileFlag[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly seals: Set<Seal>;
  pages: number;
  /** Page to frame. */
  readonly frames: Extents;
  /** The pages that are private, there or not; the others are shared. */
  readonly private: Extents;
  /** The pages whose frames have a hardware error. */
  readonly poisoned: Extents;
  /** The pages that are there although a consumer failed to let go of them: theirs may overlap. */
  untrusted: readonly Untrusted[];
  /** Invalidations that have begun and not ended, by operation. */
  readonly open: SmallMap<OpenInvalidation>;
  /** What consumers are asked about and has neither arrived nor been taken back, by operation. */
  readonly prepared: SmallMap<readonly PreparedRange[]>;
}

export interface PreparedRange extends PageRange {
  readonly reason: Reason;
}

export interface OpenInvalidation extends PageRange {
  readonly reason: Reason;
  kept: readonly PageRange[];
  /** Where a consumer failed to let go: the frames will not be used again. */
  failed: readonly Untrusted[];
}

/** A registration, as long as it is in a list or somebody holds a lease of it. */
export interface RegistrationState {
  readonly id: number;
  readonly file: number;
  readonly store: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly position: number;
  left: boolean;
  leases: LeaseCounts;
}

export interface Quarantined extends PageRange {
  readonly store: string;
  readonly file: number;
  readonly pfn: number;
}

/** Everything that follows from the events up to `position`; see {@link evolve}. */
export class MemfileState {
  /** The position of the last event, 0 before the first. */
  position = 0;
  lastFile = 0;
  lastRegistration = 0;
  lastOperation = 0;
  readonly files = new Map<number, FileState>();
  readonly registrations = new Map<number, RegistrationState>();
  readonly quarantined: Quarantined[] = [];
  /** The last event of each type that stores and adapters recorded of their own, declared or not. */
  readonly plugins = new Map<string, Record<string, PluginData>>();
  /** What the events of declared definitions come to. */
  readonly own: OwnStates;

  /** The file asked for last: events mostly concern the one that the event before did. */
  #recent: FileState | undefined;

  constructor(own: OwnStates = new OwnStates()) {
    this.own = own;
  }

  /** @throws RangeError when there is no such file. */
  fileOf(id: number): FileState {
    const recent = this.#recent;
    if (recent !== undefined && recent.id === id) return recent;
    const file = this.files.get(id);
    if (file === undefined) throw new RangeError(`position ${this.position}: no file ${id}`);
    return (this.#recent = file);
  }

  addFile(file: FileState): void {
    this.files.set(file.id, file);
    this.#recent = file;
  }

  dropFile(id: number): void {
    this.files.delete(id);
    this.#recent = undefined;
  }

  /** Plain data: two states are equal when this is. */
  toJSON(): StateSnapshot {
    const own = this.own.toJSON();
    return {
      position: this.position,
      files: [...this.files.values()].map((file) => ({
        id: file.id,
        name: file.name,
        store: file.store,
        pages: file.pages,
        flags: [...file.flags],
        seals: [...file.seals].sort(),
        populated: pairs(file.frames),
        frames: file.frames.runs().map(({ start, end, value }) => [start, end, value] as const),
        private: pairs(file.private),
        poisoned: pairs(file.poisoned),
        untrusted: file.untrusted.map((pages) => ({ ...pages })),
        open: [...file.open].map(([operation, { start, end, reason, kept }]) => ({
          operation,
          start,
          end,
          reason,
          kept: kept.map((range) => [range.start, range.end] as const),
        })),
      })),
      registrations: [...this.registrations.values()]
        .filter((registration) => !registration.left)
        .map(({ id, file, name, start, end, position }) => ({
          id,
          file,
          name,
          start,
          end,
          position,
        })),
      leases: [...this.registrations.values()].flatMap((registration) =>
        [...registration.leases].map(({ pfn, offset, order, count }) => ({
          owner: registration.name,
          registration: registration.id,
          file: registration.file,
          offset,
          pfn,
          order,
          count,
        })),
      ),
      quarantined: this.quarantined.map((run) => ({ ...run })),
      plugins: Object.fromEntries([...this.plugins].map(([name, said]) => [name, { ...said }])),
      ...(own === undefined ? {} : { own }),
    };
  }
}

function pairs(pages: Extents): Pair[] {
  return pages.ranges().map(({ start, end }) => [start, end]);
}

type Pair = readonly [start: number, end: number];

export interface StateSnapshot {
  readonly position: number;
  readonly files: readonly {
    readonly id: number;
    readonly name: string;
    readonly store: string;
    readonly pages: number;
    readonly flags: readonly FileFlag[];
    readonly seals: readonly Seal[];
    readonly populated: readonly Pair[];
    readonly frames: readonly (readonly [start: number, end: number, pfn: number])[];
    readonly private: readonly Pair[];
    readonly poisoned: readonly Pair[];
    readonly untrusted: readonly Untrusted[];
    readonly open: readonly {
      readonly operation: number;
      readonly start: number;
      readonly end: number;
      readonly reason: Reason;
      readonly kept: readonly Pair[];
    }[];
  }[];
  readonly registrations: readonly {
    readonly id: number;
    readonly file: number;
    readonly name: string;
    readonly start: number;
    readonly end: number;
    readonly position: number;
  }[];
  readonly leases: readonly {
    readonly owner: string;
    readonly registration: number;
    readonly file: number;
    readonly offset: number;
    readonly pfn: number;
    readonly order: number;
    readonly count: number;
  }[];
  readonly quarantined: readonly Quarantined[];
  readonly plugins: Readonly<Record<string, Readonly<Record<string, PluginData>>>>;
  /** By name, what the events of declared definitions come to; absent when none is declared. */
  readonly own?: Readonly<Record<string, unknown>>;
}
