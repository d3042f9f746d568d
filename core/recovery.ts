import type { BackingStores } from './backing-stores.js';
import type { Engine } from './engine.js';
import { MemfileError } from './errno.js';
import { Extents, type Extent } from './extents.js';
import type { MemoryFiles } from './memory-files.js';
import { clip, normalize, subtract } from './page-range.js';
import type { FileState, OpenInvalidation } from './state.js';
import { takenFrames } from './taken-frames.js';

/**
 * Goes on where a journal ends: closes what its last process left open, by events that say so.
 *
 * Consumers died with their process, so their registrations end. Their leases stay counted: what
 * they lent a frame to may be no process, and a leak that has a name can be looked for.
 * @throws MemfileError EOPNOTSUPP when a store of an open file is missing; EIO when the journal
 * cannot write.
 */
export function recover(engine: Engine, stores: BackingStores): void {
  const { state, level } = engine;
  if (state.position === 0 && level === 'state') return;
  for (const { name, store } of state.files.values()) {
    if (stores.get(store) !== undefined) continue;
    const detail = `"${name}" is a file of store "${store}"; there are: ${stores.names}`;
    throw new MemfileError('EOPNOTSUPP', 'createMemfile', detail);
  }
  closeWhatIsOpen(engine);
}

/** Opens the files of a journal again, with their stores told which frames are taken. */
export function reopen({ state }: Engine, stores: BackingStores, files: MemoryFiles): void {
  for (const plugin of stores) {
    const closed = takenFrames(
      state,
      ({ id, store }) => store === plugin.name && !state.files.has(id),
    );
    if (closed.leased.length + closed.quarantined.length > 0) plugin.withhold?.(closed);
  }
  for (const file of state.files.values()) files.reopen(file);
}

function closeWhatIsOpen(engine: Engine): void {
  const { state } = engine;
  const files = [...state.files.values()];
  const operations = files.reduce((sum, { open, prepared }) => sum + open.size + prepared.size, 0);
  const listed = [...state.registrations.values()].filter(({ left }) => !left);
  const { level } = engine;
  const { length: registrations } = listed;
  engine.begin('createMemfile', { type: 'open', level, operations, registrations });
  for (const { id: registration, file, start, end } of listed) {
    // Whoever overlaps was registered before it began, and so was told.
    for (const [operation, open] of state.files.get(file)?.open ?? []) {
      for (const range of clip([open], { start, end })) {
        engine.record({ type: 'left', file, operation, registration, ...range });
      }
    }
    engine.record({ type: 'unregister', file, registration });
  }
  for (const file of files) {
    for (const [operation, ranges] of Array.from(file.prepared)) {
      for (const range of ranges) {
        engine.record({ type: 'rollback', file: file.id, operation, ...range });
      }
    }
    for (const [operation, open] of Array.from(file.open)) end(engine, file, operation, open);
  }
}

/** Gone means gone: an invalidation that has begun takes its pages, whoever comes in between. */
function end(
  engine: Engine,
  file: FileState,
  operation: number,
  { start, end, reason, kept, failed }: OpenInvalidation,
): void {
  const where = { file: file.id, operation };
  if (reason !== 'convert' && reason !== 'poison') {
    const untrusted = normalize([
      ...failed,
      ...file.poisoned.ranges(start, end),
      ...clip(file.untrusted, { start, end }),
    ]);
    for (const range of subtract(untrusted, normalize(kept))) {
      for (const run of file.frames.runs(range.start, range.end)) {
        quarantine(engine, where, file.store, run);
      }
    }
  }
  engine.record({ type: 'invalidateEnd', ...where, start, end, reason });
}

/** Leaks the frames of a run, but those that are leaked already. */
function quarantine(
  engine: Engine,
  where: { readonly file: number; readonly operation: number },
  store: string,
  run: Extent,
): void {
  const leaked = new Extents();
  for (const { store: of, pfn, start, end } of engine.state.quarantined) {
    if (of === store) leaked.add(pfn, pfn + (end - start));
  }
  for (const { start: pfn, end } of leaked.holes(run.value, run.value + (run.end - run.start))) {
    const start = run.start + (pfn - run.value);
    engine.record({ type: 'quarantine', ...where, start, end: start + (end - pfn), pfn });
  }
}
