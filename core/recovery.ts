import type { BackingStores } from './backing-stores.js';
import type { Engine } from './engine.js';
import { MemfileError } from './errno.js';
import { Extents, type Extent } from './extents.js';
import type { MemoryFiles } from './memory-files.js';
import { clip, normalize, subtract, type PageRange } from './page-range.js';
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
  closeWhatIsOpen(engine, stores);
}

/** Opens the files of a journal again, with their stores told which frames are taken. */
export function reopen({ state }: Engine, stores: BackingStores, files: MemoryFiles): void {
  for (const file of state.files.values()) files.reopen(file);
  for (const plugin of stores) {
    plugin.withhold?.(
      takenFrames(state, ({ id, store }) => store === plugin.name && !state.files.has(id)),
    );
  }
}

function closeWhatIsOpen(engine: Engine, stores: BackingStores): void {
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
    const granule = stores.get(file.store)?.granule ?? 1;
    for (const [operation, open] of Array.from(file.open)) {
      end(engine, file, operation, open, granule);
    }
  }
}

/** Gone means gone: an invalidation that has begun takes its pages, whoever comes in between. */
function end(
  engine: Engine,
  file: FileState,
  operation: number,
  { start, end, reason, kept, failed }: OpenInvalidation,
  granule: number,
): void {
  const where = { file: file.id, operation };
  if (reason !== 'convert' && reason !== 'poison') {
    const whole = wholeGroups(start, end, granule);
    for (const part of subtract(subtract([{ start, end }], [whole]), normalize(kept))) {
      for (const range of file.frames.ranges(part.start, part.end)) {
        engine.record({ type: 'kept', ...where, ...range });
      }
    }
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

/** Pages leave in groups: the parts of groups at the ends stay. */
function wholeGroups(start: number, end: number, granule: number): PageRange {
  const first = Math.ceil(start / granule) * granule;
  return { start: first, end: Math.max(first, Math.floor(end / granule) * granule) };
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
