import type { PluginData } from './event.js';
import { LeaseCounts } from './lease-counts.js';
import { restoreExtents, saveExtents } from './saved-extents.js';
import { SmallMap } from './small-map.js';
import { OwnStates, type SavedOwnState } from './own-states.js';
import { MemfileState, type FileState, type RegistrationState } from './state.js';

/** A state as text, for a checkpoint; {@link restoreState} makes an equal one of it. */
export function saveState(state: MemfileState): string {
  const { position, lastFile, lastRegistration, lastOperation, quarantined } = state;
  return JSON.stringify({
    position,
    lastFile,
    lastRegistration,
    lastOperation,
    quarantined,
    files: [...state.files.values()].map(saveFile),
    registrations: [...state.registrations.values()].map(saveRegistration),
    plugins: [...state.plugins],
    own: state.own.save(position),
  } satisfies SavedState);
}

/** @throws SyntaxError, or what follows from using it, for anything but an answer of `saveState`. */
export function restoreState(text: string): MemfileState {
  const saved = JSON.parse(text) as SavedState;
  const state = new MemfileState(new OwnStates(saved.own));
  state.position = saved.position;
  state.lastFile = saved.lastFile;
  state.lastRegistration = saved.lastRegistration;
  state.lastOperation = saved.lastOperation;
  state.quarantined.push(...saved.quarantined);
  for (const file of saved.files) state.addFile(restoreFile(file));
  for (const registration of saved.registrations) {
    const none = registration.leases.length === 0;
    const leases = none ? LeaseCounts.none : new LeaseCounts();
    for (const { pfn, offset, order, count } of registration.leases) {
      leases.add(pfn, offset, order, count);
    }
    state.registrations.set(registration.id, { ...registration, leases });
  }
  for (const [plugin, said] of saved.plugins) state.plugins.set(plugin, said);
  return state;
}

type SavedFile = ReturnType<typeof saveFile>;

interface SavedState extends Pick<
  MemfileState,
  'position' | 'lastFile' | 'lastRegistration' | 'lastOperation' | 'quarantined'
> {
  readonly files: readonly SavedFile[];
  readonly registrations: readonly ReturnType<typeof saveRegistration>[];
  readonly plugins: readonly (readonly [string, Record<string, PluginData>])[];
  readonly own: readonly SavedOwnState[];
}

function saveFile(file: FileState) {
  const { id, name, store, flags, options, pages, seals, frames, poisoned, untrusted } = file;
  const { open, prepared } = file;
  return {
    id,
    name,
    store,
    flags,
    options,
    pages,
    seals: [...seals],
    frames: saveExtents(frames),
    private: saveExtents(file.private),
    poisoned: saveExtents(poisoned),
    untrusted,
    open: [...open],
    prepared: [...prepared],
  };
}

function restoreFile(saved: SavedFile): FileState {
  return {
    ...saved,
    seals: new Set(saved.seals),
    frames: restoreExtents(saved.frames),
    private: restoreExtents(saved.private),
    poisoned: restoreExtents(saved.poisoned),
    open: small(saved.open),
    prepared: small(saved.prepared),
  };
}

function saveRegistration(registration: RegistrationState) {
  const leases = [...registration.leases].map(({ pfn, offset, order, count }) => ({
    pfn,
    offset,
    order,
    count,
  }));
  return { ...registration, leases };
}

function small<Value>(entries: readonly (readonly [number, Value])[]): SmallMap<Value> {
  const map = new SmallMap<Value>();
  for (const [key, value] of entries) map.set(key, value);
  return map;
}
