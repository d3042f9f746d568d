import {
  MemfileError,
  type BackingStore,
  type EventDefinition,
  type FileSpec,
  type Movement,
  type OwnEvents,
  type PluginHost,
  type StoreCapabilities,
} from '../../core/index.js';
import { barAt, checkPlace, checkRanges, type Bar, type BarRange } from './bar.js';
import { deviceEvents, type DeviceEvent, type DeviceMemory } from './events.js';
import { RegionFile, type DeviceState } from './region-file.js';

/** What of a device a memory file shows. */
export interface RegionOptions {
  /** The number of the BAR. */
  readonly region: number;
  /** The parts of it, one after the other; `[0, size)` by default. Together they are the size. */
  readonly ranges?: readonly BarRange[] | undefined;
}

/**
 * A device whose memory can be seen as memory files; see {@link vfioDevice}.
 *
 * Its methods tell every file of it, and resolve when all consumers have let go, or have been told.
 * They reject as `file.punchHole` or `file.fallocate` when consumers fail or refuse.
 */
export class VfioDevice<Name extends string = string>
  implements BackingStore<Name, RegionOptions>, DeviceState
{
  readonly name: Name;
  readonly capabilities: StoreCapabilities;
  /** What it records of its own. */
  readonly events: EventDefinition<DeviceEvent, DeviceMemory | null>;
  readonly #movement: Movement;
  readonly #bars: readonly (Bar | undefined)[];
  readonly #files = new Set<RegionFile>();
  #recorded: OwnEvents<DeviceEvent, DeviceMemory | null> | undefined;
  #revoked: boolean;
  #closed = false;
  #leaving = Promise.resolve();

  /** @internal */
  constructor(
    name: Name,
    bars: readonly (Bar | undefined)[],
    movement: Movement,
    enabled: boolean,
  ) {
    this.name = name;
    this.events = deviceEvents(name);
    this.#bars = bars;
    this.#movement = movement;
    this.#revoked = !enabled;
    const callers = { fallocate: false, punchHole: false };
    this.capabilities = { movement, counted: false, ...callers, conversions: [] };
  }

  /** Whether its memory is disabled: lookups answer ENODEV once the pages have left. */
  get revoked(): boolean {
    return this.#revoked;
  }

  /**
   * Takes all pages of all its files away, with reason 'device'. Twice is once: the second call
   * waits for the first, whose caller learns what failed.
   */
  revoke(): Promise<void> {
    if (this.#revoked) return this.#leaving.catch(() => {});
    if (this.#movement === 'pinned') return this.#cannot('revoke', 'revocable');
    this.#say(true);
    this.#leaving = allOf(
      'revoke',
      [...this.#files].map((file) => file.revoke()),
    );
    return this.#leaving;
  }

  /**
   * Brings them all back, with reason 'device'; nobody is told of what is there already. What
   * consumers refused is tried again. Rejects with ENODEV when the device is closed; EIO, effect
   * 'partial', when some frames are quarantined: those do not come back.
   */
  enable(): Promise<void> {
    if (this.#closed) return this.#refuse('ENODEV', 'enable', 'is closed');
    if (this.#revoked) this.#say(false);
    return allOf(
      'enable',
      [...this.#files].map((file) => file.enable()),
    );
  }

  /** Revokes, and enables again when it was enabled; what a BAR holds is the caller's business. */
  reset(): Promise<void> {
    if (this.#movement === 'pinned') return this.#cannot('reset', 'revocable');
    if (this.#revoked) return this.revoke();
    return allOf('reset', [this.revoke(), this.enable()]);
  }

  /**
   * Moves a BAR to another address: its pages leave and come back with other frames. Rejects with
   * EOPNOTSUPP unless it was declared 'movable', ENODEV for no BAR, EINVAL and EOVERFLOW for a bad
   * or taken address, EBUSY for one that a file still has frames of: wait for the move or the
   * revocation that takes them away.
   */
  relocate(region: number, pfn: number): Promise<void> {
    if (this.#movement !== 'movable') return this.#cannot('relocate', 'movable');
    try {
      if (this.#closed) throw this.#error('ENODEV', 'relocate', 'is closed');
      const bar = barAt('relocate', this.#bars, region);
      checkPlace('relocate', region, { pfn, pages: bar.pages }, this.#bars);
      if (bar.pfn === pfn) return Promise.resolve();
      if ([...this.#files].some((file) => file.hasFrames(pfn, pfn + bar.pages))) {
        throw this.#error(
          'EBUSY',
          'relocate',
          `has files with frames in the place of BAR ${region}`,
        );
      }
      bar.pfn = pfn;
      this.#say(this.#revoked);
      if (this.#revoked) return Promise.resolve();
      const files = [...this.#files].filter((file) => file.bar === bar);
      return allOf(
        'relocate',
        files.flatMap((file) => [file.revoke(), file.enable()]),
      );
    } catch (error) {
      return Promise.reject(error as MemfileError);
    }
  }

  /** The device is gone: revokes for good. The pages of a pinned one stay until their file closes. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#movement !== 'pinned') await this.revoke();
  }

  createFile({ name, pages, flags, options }: FileSpec<RegionOptions>): RegionFile {
    const refuse = (code: 'ENODEV' | 'EINVAL' | 'EOPNOTSUPP', what: string): never => {
      throw this.#error(code, 'createFile', what);
    };
    if (this.#closed) refuse('ENODEV', 'is closed');
    if (this.#bars.every((bar) => bar === undefined)) refuse('EOPNOTSUPP', 'has no memory to show');
    const { region, ranges = [{ offset: 0, length: pages }] } = options;
    if (flags.length > 0) refuse('EINVAL', `has no files that are ${flags.join()}`);
    const bar = barAt('createFile', this.#bars, region);
    return new RegionFile(this, name, pages, bar, checkRanges(bar, ranges, pages));
  }

  /** @throws MemfileError EBUSY when another memfile has it. */
  attach(host: PluginHost): void {
    if (this.#recorded !== undefined) throw this.#error('EBUSY', 'attach', 'is in another memfile');
    this.#recorded = host.declare(this.events);
    const memory = this.#recorded.state;
    if (memory === null) {
      this.#say(this.#revoked);
      return;
    }
    this.#revoked = memory.revoked;
    for (const [region, pfn] of memory.pfns.entries()) {
      const bar = this.#bars[region];
      if (bar !== undefined && pfn !== null) bar.pfn = pfn;
    }
  }

  /** @internal A file of it was created; it is born revoked when the device is. */
  attached(file: RegionFile): void {
    this.#files.add(file);
    // What a crash cut off: the journal says where the device is, and the pages are not there yet.
    if (file.outdated) file.revoke().catch(() => {});
    // Nobody can be in the way yet; a page with a quarantined frame says so when it is looked up.
    if (!this.#revoked) file.enable().catch(() => {});
  }

  /** @internal A file of it was closed, and does not come back. */
  closed(file: RegionFile): void {
    this.#files.delete(file);
  }

  /** Into the journal, so that replay knows. */
  #say(revoked: boolean): void {
    this.#revoked = revoked;
    const pfns = this.#bars.map((bar) => bar?.pfn ?? null);
    this.#recorded?.record({ type: 'memory', revoked, pfns });
  }

  #cannot(syscall: string, needs: Movement): Promise<never> {
    const what = `was declared '${this.#movement}'; it would have to be '${needs}'`;
    return this.#refuse('EOPNOTSUPP', syscall, what);
  }

  #refuse(code: 'ENODEV' | 'EOPNOTSUPP', syscall: string, what: string): Promise<never> {
    return Promise.reject(this.#error(code, syscall, what));
  }

  #error(
    code: 'ENODEV' | 'EINVAL' | 'EBUSY' | 'EOPNOTSUPP',
    syscall: string,
    what: string,
  ): MemfileError {
    return new MemfileError(code, syscall, `device "${this.name}" ${what}`);
  }
}

/**
 * Waits for all, and rejects with the error of the one that failed, or EIO with all of them. A file
 * that was closed before its turn came has no pages, and needs none.
 */
async function allOf(syscall: string, moves: readonly Promise<void>[]): Promise<void> {
  const failed: unknown[] = [];
  for (const outcome of await Promise.allSettled(moves)) {
    if (outcome.status === 'rejected' && !isClosed(outcome.reason)) failed.push(outcome.reason);
  }
  if (failed.length === 1) throw failed[0];
  if (failed.length === 0) return;
  const cause = new AggregateError(failed);
  const what = `${failed.length} moves of pages failed; \`cause\` has their errors`;
  throw new MemfileError('EIO', syscall, what, { effect: 'partial', cause });
}

function isClosed(error: unknown): boolean {
  return error instanceof MemfileError && error.code === 'EBADF';
}
