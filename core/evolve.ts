import type { JournalEvent, Untrusted } from './event.js';
import { Extents } from './extents.js';
import { LeaseCounts } from './lease-counts.js';
import { clip, subtract, type PageRange } from './page-range.js';
import { SmallMap } from './small-map.js';
import type { FileState, MemfileState, RegistrationState } from './state.js';

/** Of what is folded here: a checkpoint of another version is of no use. */
export const EVOLVE_VERSION = 4;

/**
 * Folds one event into the state, in place. The only code that changes a state, live and in
 * replay; it reads nothing but its two arguments.
 */
export function evolve(state: MemfileState, event: JournalEvent): MemfileState {
  state.position++;
  switch (event.type) {
    case 'fallocate': {
      const file = fileOf(state, event.file);
      file.frames.set(event.start, event.end, event.pfn);
      if (file.prepared.size > 0) answered(file, event);
      state.lastOperation = Math.max(state.lastOperation, event.operation);
      break;
    }
    case 'invalidate': {
      const { start, end, reason } = event;
      fileOf(state, event.file).open.set(event.operation, {
        start,
        end,
        reason,
        kept: [],
        failed: [],
      });
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
      const { kept = [], failed = [] } = file.open.get(event.operation) ?? {};
      file.open.delete(event.operation);
      if (failed.length > 0) distrust(file, failed);
      if (event.reason === 'convert' || event.reason === 'poison') break; // The pages stay.
      for (const gone of kept.length === 0 ? [event] : subtract([event], kept)) {
        file.frames.delete(gone.start, gone.end);
        if (file.poisoned.pages > 0) file.poisoned.delete(gone.start, gone.end);
        if (file.untrusted.length > 0) file.untrusted = without(file.untrusted, gone);
      }
      break;
    }
    case 'quarantine': {
      const { file, start, end, pfn } = event;
      state.quarantined.push({ store: fileOf(state, file).store, file, start, end, pfn });
      break;
    }
    case 'lookup': {
      const { pfn, offset, order } = event;
      registrationOf(state, event.registration).leases.add(pfn, offset, order);
      break;
    }
    case 'put': {
      const registration = registrationOf(state, event.registration);
      registration.leases.remove(event.pfn, event.offset, event.order);
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
        untrusted: [],
        open: new SmallMap(),
        prepared: new SmallMap(),
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
      const leases = new LeaseCounts();
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
      const { private: attributes, prepared } = fileOf(state, event.file);
      prepared.delete(event.operation);
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
      state.own.see(event);
      break;
    }
    case 'open': {
      state.own.reopened();
      break;
    }
    case 'prepare': {
      const { operation, start, end, reason } = event;
      const { prepared } = fileOf(state, event.file);
      const asked = prepared.get(operation);
      const range = { start, end, reason };
      prepared.set(operation, asked === undefined ? [range] : [...asked, range]);
      state.lastOperation = Math.max(state.lastOperation, event.operation);
      break;
    }
    case 'rollback': {
      answered(fileOf(state, event.file), event);
      break;
    }
    case 'failure': {
      const open = state.files.get(event.file)?.open.get(event.operation);
      if (event.callback !== 'invalidate' || open === undefined) break;
      if (event.untrusted !== undefined) open.failed.push(event.untrusted);
      else {
        const told = state.registrations.get(event.registration);
        for (const range of told === undefined ? [] : clip([open], told)) {
          open.failed.push({ ...range, consumer: told!.name });
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

/** Consumers failed to let go of pages; those that are there. */
function distrust(file: FileState, failed: readonly Untrusted[]): void {
  const there = failed.flatMap(({ start, end, consumer }) =>
    file.frames.ranges(start, end).map((range) => ({ ...range, consumer })),
  );
  file.untrusted = [...file.untrusted, ...there];
}

function without(untrusted: readonly Untrusted[], gone: PageRange): Untrusted[] {
  return untrusted.flatMap(({ start, end, consumer }) =>
    subtract([{ start, end }], [gone]).map((range) => ({ ...range, consumer })),
  );
}

/** Pages that were asked about have arrived, or have been taken back. */
function answered(
  { prepared }: FileState,
  { operation, start, end }: PageRange & { readonly operation: number },
): void {
  const asked = prepared.get(operation);
  if (asked === undefined) return;
  if (asked.every((range) => start <= range.start && range.end <= end)) {
    prepared.delete(operation); // As it is mostly: all of it.
    return;
  }
  const open = asked.flatMap(({ reason, ...range }) =>
    subtract([range], [{ start, end }]).map((left) => ({ ...left, reason })),
  );
  if (open.length > 0) prepared.set(operation, open);
  else prepared.delete(operation);
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
