import type { PluginData } from './event.js';
import { Extents } from './extents.js';
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

interface SavedFile extends ReturnType<typeof saveFile> {
  readonly frames?: never;
}

/** As checkpoints had it first: start, end and value of every run, one after the other. */
interface OlderSavedFile extends Omit<SavedFile, 'runs' | 'frames' | 'private' | 'poisoned'> {
  readonly frames: readonly number[];
  readonly private: readonly number[];
  readonly poisoned: readonly number[];
  readonly runs?: never;
}

interface SavedState extends Pick<
  MemfileState,
  'position' | 'lastFile' | 'lastRegistration' | 'lastOperation' | 'quarantined'
> {
  readonly files: readonly (SavedFile | OlderSavedFile)[];
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
    runs: saveExtents(frames),
    private: saveExtents(file.private),
    poisoned: saveExtents(poisoned),
    untrusted,
    open: [...open],
    prepared: [...prepared],
  };
}

function restoreFile({ runs, frames, ...saved }: SavedFile | OlderSavedFile): FileState {
  return {
    ...saved,
    seals: new Set(saved.seals),
    frames: extents(frames ?? runs),
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

function extents(saved: string | readonly number[]): Extents {
  if (typeof saved === 'string') return restoreExtents(saved);
  const map = new Extents();
  for (let i = 0; i < saved.length; i += 3) map.set(saved[i]!, saved[i + 1]!, saved[i + 2]!);
  return map;
}
