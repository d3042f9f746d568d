import {
  createMemfile,
  type BackingStore,
  type Memfile,
  type MemfileOptions,
  type StallReport,
} from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { VirtualClock } from './virtual-clock.js';

type Shmem = readonly [ReturnType<typeof shmem>];

/** A memfile whose time stands still until a test moves it, and that sees what was left behind. */
export class TestMemfile<P extends readonly BackingStore[]> implements AsyncDisposable {
  readonly memfile: Memfile<P>;
  readonly clock = new VirtualClock();
  /** Reader sections that were open for a second and more. */
  readonly stalls: StallReport[] = [];

  /** @internal */
  constructor(options: Omit<MemfileOptions<P>, 'clock' | 'onStall'>) {
    this.memfile = createMemfile<P>({
      stallAfterMs: 1000,
      ...options,
      clock: this.clock,
      onStall: (report) => this.stalls.push(report),
    });
  }

  /** What nobody gave back so far: leases, and registrations. For people. */
  leaks(): string[] {
    const { leases, registrations } = this.memfile.state.toJSON();
    return [
      ...leases.map(
        ({ owner, offset, pfn, count }) =>
          `"${owner}" has ${count} leases of frame ${pfn}, looked up as page ${offset}`,
      ),
      ...registrations.map(({ name, file }) => `"${name}" is still registered on file ${file}`),
    ];
  }

  /** Takes everything down; rejects when something was left behind, or failed to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const leaks = this.leaks();
    await this.memfile[Symbol.asyncDispose]();
    if (leaks.length > 0) throw new Error(`left behind: ${leaks.join('; ')}`);
  }
}

/** A memfile for a test; with shmem alone, unless plugins are given. */
export function createTestMemfile(): TestMemfile<Shmem>;
export function createTestMemfile<const P extends readonly BackingStore[]>(
  options: Omit<MemfileOptions<P>, 'clock' | 'onStall'>,
): TestMemfile<P>;
export function createTestMemfile(
  options: Omit<MemfileOptions<readonly BackingStore[]>, 'clock' | 'onStall'> = {
    plugins: [shmem()],
  },
): TestMemfile<readonly BackingStore[]> {
  return new TestMemfile(options);
}
