import type { ContentMode, Side, StoreCapabilities } from './capabilities.js';
import type { MemfileError } from './errno.js';
import type { FileFlag, Reason } from './event.js';
import type { EventDefinition, OwnEvent, OwnEvents } from './own-events.js';
import type { Extent } from './extents.js';
import type { PageRange } from './page-range.js';

/** Pages `[start, end)` whose frames are `pfn`, `pfn + 1`, … */
export interface PfnRun extends PageRange {
  readonly pfn: number;
}

/** `memfile_pfn_ops` of the patch: what a store does for those who look pages up. */
export interface PfnOps {
  /**
   * The frame of page `offset`, with one reference more; the answer covers `2^order` pages,
   * naturally aligned. Never allocates. Only called for pages that the store has.
   */
  getLockPfn(offset: number): { readonly pfn: number; readonly order: number };
  /** One reference fewer. A frame that left its file is free when the last one goes. */
  putUnlockPfn(pfn: number): void;
}

/** What a store added, and why it was not everything. */
export interface Allocation {
  /** Sorted and disjoint; only pages that were holes before. */
  readonly runs: readonly PfnRun[];
  /** Set when pages of the range are missing; those in `runs` stay. */
  readonly error?: MemfileError;
}

/**
 * Why a store is to drop pages: they are punched, or the file ends before them now (it was truncated
 * or closed), or they never became part of it: what `allocate` took is given back, and all is to be
 * as before. 'punch' when nothing is said.
 */
export type WhyFreed = 'punch' | 'end' | 'undo';

/** The pages of one memory file, as its store keeps them. Ranges are pages, half-open. */
export interface StoreFile extends PfnOps {
  /**
   * Pages come and go in aligned groups of this many; 1 by default. The range by which an
   * operation waits for others is widened to it.
   */
  readonly granule?: number;
  /** Fills the holes of `[start, end)`. A store that throws has added nothing. */
  allocate(start: number, end: number): Allocation;
  /**
   * Drops the pages of `[start, end)`; answers which really left, nothing meaning all that were
   * there. A frame that is still referenced is reused after its last `putUnlockPfn` only. A store
   * that throws has dropped nothing.
   */
  free(start: number, end: number, why?: WhyFreed): readonly PageRange[] | void;
  /**
   * Called before the size becomes `pages`, unless only fallocate() makes it so.
   * @throws MemfileError when the file cannot have that size; nothing changes then.
   */
  checkSize?(pages: number): void;
  /** Why `allocate` of `[start, end)` would fail now; undefined when it would not. */
  plan?(start: number, end: number): MemfileError | undefined;
  /**
   * Pages `[start, end)` are becoming private or shared, and nobody has any of them mapped: do with
   * the contents what `content` says.
   * @throws MemfileError ENOMEM or EOPNOTSUPP; nothing has changed then.
   */
  convert?(start: number, end: number, to: Side, content: ContentMode): void;
  /**
   * Why there is no page at `offset`, when that is more than a hole: the error of a lookup; ENOENT
   * by default.
   */
  whyHole?(offset: number): MemfileError | undefined;
  /**
   * Of a store that declares frames not `counted`: how often pages have left. A lease taken at
   * another count is stale.
   */
  readonly generation?: number;
  /** The contents of `2^order` frames from `pfn`, not copied; absent when there are none to see. */
  bytes?(pfn: number, order: number): Uint8Array;
  /**
   * Called once, before anything but the `free` of a file that could not be created: how to start
   * operations, and which frames are taken. A store keeps no page state that cannot be rebuilt from
   * this.
   */
  attach?(host: StoreHost, state: AttachState): void;
}

/** Which frames the pages of one file have. Ranges are pages, half-open. */
export interface FrameTable {
  /** The frame of a page, or -1. */
  get(page: number): number;
  /** How many pages of `[start, end)` have a frame. */
  count(start: number, end: number): number;
  /** The runs in `[start, end)`, clipped to it and in order; `value` is the frame of `start`. */
  runs(start: number, end: number): readonly Extent[];
  /** The pages of `[start, end)` that have none, as sorted ranges. */
  holes(start: number, end: number): readonly PageRange[];
  /** Pages `[start, end)` are given frames `pfn`, `pfn + 1`, … */
  set(start: number, end: number, pfn: number): void;
  /** What these pages have is taken back; what the journal knows of is gone once that says so. */
  delete(start: number, end: number): void;
}

/** How a store starts operations of its own; they are like any other. */
export interface StoreHost {
  /** Takes pages away, as a device does that is revoked. */
  invalidate(range: PageRange, reason?: Reason): Promise<void>;
  /** Brings pages, through `allocate`. */
  fallocate(range: PageRange, reason?: Reason): Promise<void>;
  /** The frames of this store, of whatever file, that were leaked on purpose: not to be used again. */
  quarantined(): readonly PfnRun[];
  /**
   * The frames of this file, so that its store need not keep a table of its own: it notes there what
   * it allocates and frees, once each, and finds what the journal knows. Only for the very file that
   * memfile was given: one that is wrapped by another may have other page numbers, or be freed twice.
   */
  frames?(of: StoreFile): FrameTable | undefined;
}

/** How a store, or an adapter, has events of its own in the journal: a memfile is one. */
export interface PluginHost {
  /** See `Memfile.declare`. */
  declare<Event extends OwnEvent, State>(
    definition: EventDefinition<Event, State>,
  ): OwnEvents<Event, State>;
}

/** The frames of this file that are not free. */
export interface AttachState extends TakenFrames {
  readonly frames: readonly PfnRun[];
}

/** Frames that nobody may be given, whether a page still has them or not. */
export interface TakenFrames {
  readonly leased: readonly {
    readonly pfn: number;
    readonly order: number;
    readonly count: number;
  }[];
  readonly quarantined: readonly PfnRun[];
}

export interface FileSpec<Options> {
  readonly id: number;
  readonly name: string;
  /** Size in pages. */
  readonly pages: number;
  readonly flags: readonly FileFlag[];
  readonly options: Options;
  /** The journal has the file already; `attach` says which frames it has. */
  readonly reopened?: true;
}

/**
 * A kind of memory, as a plugin: what `memfile_register_backing_store` of v5 registers.
 *
 * `Name` and `Options` are inferred by `createMemfile` from its list of plugins.
 */
export interface BackingStore<Name extends string = string, Options extends object = object> {
  readonly name: Name;
  /** What its pages can do, and what can be done to them; see {@link StoreCapabilities}. */
  readonly capabilities?: StoreCapabilities;
  /** That of all its files, when that is one; what a crash has cut off is ended by it. */
  readonly granule?: number;
  /** Called once, before any file is created: declare events there, and learn what there were. */
  attach?(host: PluginHost): void;
  /** @throws MemfileError as the kind of memory demands; nothing is created then. */
  createFile(spec: FileSpec<Options>): StoreFile;
  /**
   * Called once the files of the journal are made anew: frames of files that are closed, which nobody
   * may be given all the same.
   */
  withhold?(frames: TakenFrames): void;
  /** Called after every file of the store is closed. */
  close?(): void | Promise<void>;
}
