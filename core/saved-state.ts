import type { PluginData } from './event.js';
import { Extents } from './extents.js';
import { LeaseCounts } from './lease-counts.js';
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
  for (const file of saved.files) state.files.set(file.id, restoreFile(file));
  for (const registration of saved.registrations) {
    const leases = new LeaseCounts();
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
  /** Absent in older ones. */
  readonly own?: readonly SavedOwnState[];
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
    frames: numbers(frames),
    private: numbers(file.private),
    poisoned: numbers(poisoned),
    untrusted,
    open: [...open],
    prepared: [...prepared],
  };
}

function restoreFile(saved: SavedFile): FileState {
  return {
    ...saved,
    seals: new Set(saved.seals),
    frames: extents(saved.frames),
    private: extents(saved.private),
    poisoned: extents(saved.poisoned),
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

/**
 * Of every run, one after the other: how far it begins from the end of the one before, its length,
 * and how far its value is from what would have followed. Small numbers make a short text.
 */
function numbers(map: Extents): number[] {
  const flat: number[] = [];
  let page = 0;
  let next = 0;
  for (const { start, end, value } of map.runs()) {
    flat.push(start - page, end - start, value - next);
    page = end;
    next = value + (end - start);
  }
  return flat;
}

function extents(flat: readonly number[]): Extents {
  const map = new Extents();
  let page = 0;
  let next = 0;
  for (let i = 0; i < flat.length; i += 3) {
    const start = page + flat[i]!;
    const value = next + flat[i + 2]!;
    page = start + flat[i + 1]!;
    next = value + (page - start);
    map.set(start, page, value);
  }
  return map;
}
