import {
  announced,
  answered,
  arrived,
  asked,
  begun,
  ended,
  failed,
  forget,
  registrationOf,
  returned,
  stayed,
  taken,
} from './changes.js';
import type { JournalEvent } from './event.js';
import { Extents } from './extents.js';
import { LeaseCounts } from './lease-counts.js';
import { clip } from './page-range.js';
import { SmallMap } from './small-map.js';
import type { MemfileState } from './state.js';

/** Of what is folded here: a checkpoint of another version is of no use. */
export const EVOLVE_VERSION = 4;

/**
 * Folds one event into the state, in place. This, and what it calls, is the only code that changes
 * a state, live and in replay; it reads nothing but its two arguments.
 */
export function evolve(state: MemfileState, event: JournalEvent): MemfileState {
  state.position++;
  switch (event.type) {
    case 'fallocate': {
      const { operation, start, end, pfn } = event;
      arrived(state, state.fileOf(event.file), operation, start, end, pfn);
      break;
    }
    case 'invalidate': {
      const { operation, start, end, reason } = event;
      announced(state, state.fileOf(event.file), operation, start, end, reason);
      break;
    }
    case 'kept': {
      stayed(state.fileOf(event.file), event.operation, event.start, event.end);
      break;
    }
    case 'invalidateEnd': {
      const { operation, start, end, reason } = event;
      ended(state.fileOf(event.file), operation, start, end, reason);
      break;
    }
    case 'quarantine': {
      const { file, start, end, pfn } = event;
      state.quarantined.push({ store: state.fileOf(file).store, file, start, end, pfn });
      break;
    }
    case 'lookup': {
      const { registration, offset, pfn, order } = event;
      taken(registrationOf(state, registration), offset, pfn, order);
      break;
    }
    case 'put': {
      const { registration, offset, pfn, order } = event;
      returned(state, registrationOf(state, registration), offset, pfn, order);
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
      state.addFile({
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
        untrusted: [],
        open: new SmallMap(),
        prepared: new SmallMap(),
      });
      if (file > state.lastFile) state.lastFile = file;
      break;
    }
    case 'resize': {
      state.fileOf(event.file).pages = event.pages;
      begun(state, event.operation);
      break;
    }
    case 'seal': {
      for (const seal of event.seals) state.fileOf(event.file).seals.add(seal);
      break;
    }
    case 'register': {
      const { registration: id, file, name, start, end } = event;
      const { store } = state.fileOf(file);
      const { position } = state;
      const leases = LeaseCounts.none;
      const registration = { id, file, store, name, start, end, position, left: false, leases };
      state.registrations.set(id, registration);
      if (id > state.lastRegistration) state.lastRegistration = id;
      break;
    }
    case 'close': {
      state.dropFile(event.file);
      break;
    }
    case 'convert': {
      const { private: attributes, prepared } = state.fileOf(event.file);
      prepared.delete(event.operation);
      if (event.to === 'private') attributes.add(event.start, event.end);
      else attributes.delete(event.start, event.end);
      break;
    }
    case 'poison': {
      state.fileOf(event.file).poisoned.add(event.start, event.end);
      break;
    }
    case 'plugin': {
      const said = state.plugins.get(event.plugin) ?? {};
      state.plugins.set(event.plugin, { ...said, [event.name]: event.data });
      state.own.see(event);
      break;
    }
    case 'open': {
      state.own.reopened();
      break;
    }
    case 'prepare': {
      const { operation, start, end, reason } = event;
      asked(state, state.fileOf(event.file), operation, start, end, reason);
      break;
    }
    case 'rollback': {
      answered(state.fileOf(event.file), event.operation, event.start, event.end);
      break;
    }
    case 'failure': {
      const { operation, untrusted } = event;
      const file = state.files.get(event.file);
      const open = file?.open.get(operation);
      if (event.callback !== 'invalidate' || file === undefined || open === undefined) break;
      if (untrusted !== undefined) failed(file, operation, untrusted);
      else {
        const told = state.registrations.get(event.registration);
        for (const range of told === undefined ? [] : clip([open], told)) {
          failed(file, operation, { ...range, consumer: told!.name });
        }
      }
      break;
    }
    case 'usable':
    case 'error':
    case 'replay':
    case 'left':
    case 'evict':
    case 'delivery':
    case 'answer':
    case 'grace':
    case 'time':
      break;
    default:
      event satisfies never;
  }
  return state;
}
