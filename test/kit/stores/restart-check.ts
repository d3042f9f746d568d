import {
  type AttachState,
  type BackingStore,
  type MemfileState,
  type PfnRun,
  type StoreFile,
} from '../../../core/index.js';
import { takenFrames } from '../../../core/taken-frames.js';
import { fallocate, lookUp } from '../world/deeds.js';
import { drain, play, type PlayOptions } from '../world/play.js';
import { PAGES, program, scaled, shorterPrograms, type Program } from '../world/program.js';
import { showProgram } from '../world/show-program.js';
import type { Check } from '../suite.js';
import type { World } from '../world/world.js';
import { optionsOf } from '../world/world-options.js';
import { fillFile, fillStore, NOBODY, opened } from './fill-store.js';

/** A frame that a store may not hand out, and why. */
type Taken = Map<number, string>;

/** Law 10: a new store that is told what the journal knows goes on where the old one was. */
export function restartCheck(
  options: PlayOptions & { readonly store: () => BackingStore | Promise<BackingStore> },
): Check<Program> {
  const { store, pages = PAGES, fileOptions } = options;
  const create = (store: BackingStore, id: number, pages: number): StoreFile =>
    store.createFile({
      id,
      name: `file ${id}`,
      pages,
      flags: [],
      options: optionsOf(fileOptions, id - 1),
      reopened: true,
    });
  return {
    law: 10,
    what: 'a store that is told what the journal knows goes on where the old one was',
    programs: program,
    show: (program) => [
      ...showProgram(scaled(program, pages / PAGES)),
      'all pages come; a consumer fails to let page 0 of file 1 go, and keeps leases of the last two',
      'the last page goes; a new store is attached to the state that the journal replays to',
      'all leases are put, all pages freed, and the new store is filled',
    ],
    shorter: shorterPrograms,
    async skip() {
      const { attach } = create(await opened(store), 1, pages);
      return attach === undefined ? 'the files of the store have no attach' : undefined;
    },
    async broken({ steps }) {
      const kind = steps.filter((step) => step.do !== 'fault' && step.do !== 'close');
      const world = await play({ steps: kind }, options);
      await leaveTraces(world);
      const state = world.memfile.replay();
      const anew = await opened(store, world.memfile.journal);
      const counted = anew.capabilities?.counted !== false;
      const { quarantined } = state;
      const findings: string[] = [];
      const taken: Taken = new Map();
      const files = [...state.files.values()].map(({ id, pages, frames }) => {
        const file = create(anew, id, pages);
        const attached = attachStateOf(state, id);
        file.attach!({ ...NOBODY, quarantined: () => quarantined }, attached);
        note(taken, counted ? attached : { ...attached, leased: [] }, id);
        return { id, frames, file, pages };
      });
      for (const { id, frames, file, pages } of files) {
        for (const { start, end, value } of frames.runs()) {
          for (let page = start; page < end; page++) {
            findings.push(...lookedUp(file, id, page, value + (page - start)));
          }
        }
        fillFile(file, pages, (pfn, page) => findings.push(...handedOut(taken, pfn, page, id)));
      }
      for (const { id, file } of files) {
        for (const { pfn, count } of attachStateOf(state, id).leased) {
          for (let i = 0; i < count; i++) findings.push(...put(file, pfn));
        }
      }
      const { full, frames: all } = fillStore(await opened(store), { pages, fileOptions });
      if (!full) return findings;
      const granule = files[0]!.file.granule ?? 1;
      // Also what lies past the end of files; no program reaches further.
      for (const { file } of files) file.free(0, 2 * pages);
      const had = new Set<number>();
      for (const { file, pages } of files) fillFile(file, pages, (pfn) => had.add(pfn));
      const rest = fillStore(anew, { pages, fileOptions }, files.length);
      const lost = all.size - had.size - rest.frames.size;
      const leaked = inQuarantine(quarantined, granule);
      if (lost === leaked) return findings;
      const what = `${lost} pages of ${all.size} cannot be had again, and ${leaked} are in quarantine`;
      return [...findings, `the leases were put and the pages freed: ${what}`];
    },
  };
}

/** How many frames leave use with these: groups come and go as one. */
function inQuarantine(quarantined: readonly PfnRun[], granule: number): number {
  const groups = new Set<number>();
  for (const { start, end, pfn } of quarantined) {
    for (let i = 0; i < end - start; i++) groups.add(Math.floor((pfn + i) / granule));
  }
  return groups.size * granule;
}

/** Whatever the program did: frames in use, leased, leased without a page, and in quarantine. */
async function leaveTraces(world: World): Promise<void> {
  const all = { start: 0, end: world.pages };
  for (const file of world.files.keys()) fallocate(world, file, all);
  await drain(world);
  const last = world.pages - 1;
  for (const page of [last - 1, last - 1, last]) lookUp(world, world.probes[0], page);
  const failing = { behaviours: ['throw'], observer: false, votes: false, replay: false } as const;
  world.register({ file: 0, start: 0, pages: 1, access: 'both', budget: 0, ...failing });
  await drain(world);
  world.punch(0, { start: 0, end: 1 });
  world.punch(0, { start: last, end: last + 1 });
  await drain(world);
}

/** What the journal knows of the frames of one file. */
function attachStateOf(state: MemfileState, id: number): AttachState {
  const frames = state.files.get(id)!.frames.runs();
  return {
    frames: frames.map(({ start, end, value: pfn }) => ({ start, end, pfn })),
    ...takenFrames(state, (file) => file.id === id),
  };
}

function note(taken: Taken, { frames, leased, quarantined }: AttachState, id: number): void {
  const mark = (runs: readonly PfnRun[], why: string): void => {
    for (const { start, end, pfn } of runs) {
      for (let i = 0; i < end - start; i++)
        taken.set(pfn + i, `${why} page ${start + i} of file ${id}`);
    }
  };
  for (const { pfn } of leased) taken.set(pfn, `leased, as it was of file ${id}`);
  mark(frames, 'in use as');
  mark(quarantined, 'in quarantine, as it was');
}

function lookedUp(file: StoreFile, id: number, page: number, frame: number): string[] {
  try {
    const { pfn } = file.getLockPfn(page);
    file.putUnlockPfn(pfn);
    if (pfn === frame) return [];
    return [`page ${page} of file ${id} has frame ${frame}, but getLockPfn answers frame ${pfn}`];
  } catch (error) {
    return [`page ${page} of file ${id} has frame ${frame}, but getLockPfn threw ${String(error)}`];
  }
}

function handedOut(taken: Taken, pfn: number, page: number, id: number): string[] {
  const where = `page ${page} of file ${id}`;
  const why = taken.get(pfn);
  taken.set(pfn, where);
  return why === undefined ? [] : [`frame ${pfn} is handed out for ${where}: it is ${why}`];
}

function put(file: StoreFile, pfn: number): string[] {
  try {
    file.putUnlockPfn(pfn);
    return [];
  } catch (error) {
    return [`frame ${pfn} was leased, but putUnlockPfn threw ${String(error)}`];
  }
}
