import type { JournalEvent } from './event.js';
import { Extents } from './extents.js';
import type { Journal } from './journal.js';
import { subtract } from './page-range.js';
import { SmallMap } from './small-map.js';
import { MemfileState, type FileState, type LeaseState, type RegistrationState } from './state.js';

/**
 * Folds one event into the state, in place. The only code that changes a state, live and in
 * replay; it reads nothing but its two arguments.
 */
export function evolve(state: MemfileState, event: JournalEvent): MemfileState {
  state.position++;
  switch (event.type) {
    case 'fallocate': {
      fileOf(state, event.file).frames.set(event.start, event.end, event.pfn);
      state.lastOperation = Math.max(state.lastOperation, event.operation);
      break;
    }
    case 'invalidate': {
      const { start, end, reason } = event;
      fileOf(state, event.file).open.set(event.operation, { start, end, reason, kept: [] });
      state.lastOperation = Math.max(state.lastOperation, event.operation);
      break;
    }
    case 'kept': {
      const { start, end } = event;
      fileOf(state, event.file).open.get(event.operation)?.kept.push({ start, end });
      break;
    }
    case 'invalidateEnd': {
      const file = fileOf(state, event.file);
      const kept = file.open.get(event.operation)?.kept ?? [];
      file.open.delete(event.operation);
      if (event.reason === 'convert' || event.reason === 'poison') break; // The pages stay.
      for (const gone of kept.length === 0 ? [event] : subtract([event], kept)) {
        file.frames.delete(gone.start, gone.end);
        if (file.poisoned.pages > 0) file.poisoned.delete(gone.start, gone.end);
      }
      break;
    }
    case 'quarantine': {
      const { file, start, end, pfn } = event;
      state.quarantined.push({ store: fileOf(state, file).store, file, start, end, pfn });
      break;
    }
    case 'lookup': {
      const { leases } = registrationOf(state, event.registration);
      const lease = leases.get(event.pfn);
      if (lease !== undefined) lease.count++;
      else leases.set(event.pfn, { offset: event.offset, order: event.order, count: 1 });
      break;
    }
    case 'put': {
      const registration = registrationOf(state, event.registration);
      const lease = registration.leases.get(event.pfn);
      if (lease !== undefined && --lease.count === 0) registration.leases.delete(event.pfn);
      forget(state, registration);
      break;
    }
    case 'unregister': {
      const registration = registrationOf(state, event.registration);
      registration.left = true;
      forget(state, registration);
      break;
    }
    case 'createFile': {
      const { file, name, store, pages, flags, options } = event;
      state.files.set(file, {
        id: file,
        name,
        store,
        pages,
        flags,
        options,
        seals: new Set(event.seals),
        frames: new Extents(),
        private: new Extents(),
        poisoned: new Extents(),
        open: new SmallMap(),
      });
      state.lastFile = Math.max(state.lastFile, file);
      break;
    }
    case 'resize': {
      fileOf(state, event.file).pages = event.pages;
      state.lastOperation = Math.max(state.lastOperation, event.operation);
      break;
    }
    case 'seal': {
      for (const seal of event.seals) fileOf(state, event.file).seals.add(seal);
      break;
    }
    case 'register': {
      const { registration: id, file, name, start, end } = event;
      const { store } = fileOf(state, file);
      const { position } = state;
      const leases = new SmallMap<LeaseState>();
      const registration = { id, file, store, name, start, end, position, left: false, leases };
      state.registrations.set(id, registration);
      state.lastRegistration = Math.max(state.lastRegistration, id);
      break;
    }
    case 'close': {
      state.files.delete(event.file);
      break;
    }
    case 'convert': {
      const attributes = fileOf(state, event.file).private;
      if (event.to === 'private') attributes.add(event.start, event.end);
      else attributes.delete(event.start, event.end);
      break;
    }
    case 'poison': {
      fileOf(state, event.file).poisoned.add(event.start, event.end);
      break;
    }
    case 'plugin': {
      const said = state.plugins.get(event.plugin) ?? {};
      state.plugins.set(event.plugin, { ...said, [event.name]: event.data });
      break;
    }
    case 'prepare': {
      state.lastOperation = Math.max(state.lastOperation, event.operation);
      break;
    }
    case 'rollback':
    case 'usable':
    case 'error':
    case 'replay':
    case 'left':
    case 'failure':
    case 'evict':
      break;
    default:
      event satisfies never;
  }
  return state;
}

/** The state after the event at `to`, folded from the journal alone. */
export function replay(journal: Journal, to: number = journal.position): MemfileState {
  const state = new MemfileState();
  for (const event of journal.read(1, to + 1)) evolve(state, event);
  return state;
}

function fileOf(state: MemfileState, id: number): FileState {
  const file = state.files.get(id);
  if (file === undefined) throw new RangeError(`position ${state.position}: no file ${id}`);
  return file;
}

function registrationOf(state: MemfileState, id: number): RegistrationState {
  const registration = state.registrations.get(id);
  if (registration === undefined) {
    throw new RangeError(`position ${state.position}: no registration ${id}`);
  }
  return registration;
}

/** A registration that left stays for as long as its leases do, so that a leak has a name. */
function forget(state: MemfileState, registration: RegistrationState): void {
  if (registration.left && registration.leases.size === 0) {
    state.registrations.delete(registration.id);
  }
}
