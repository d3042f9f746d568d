import {
  MemfileError,
  MemoryJournal,
  replay,
  type AttachState,
  type BackingStore,
  type Journal,
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

/** A frame that a store may not hand out, and why. */
type Taken = Map<number, string>;

/** Law 10: a new store that is told what the journal knows goes on where the old one was. */
export function restartCheck(
  options: PlayOptions & { readonly store: () => BackingStore | Promise<BackingStore> },
): Check<Program> {
  const { store, pages = PAGES, fileOptions = {} } = options;
  const create = (store: BackingStore, id: number, pages: number): StoreFile =>
    store.createFile({
      id,
      name: `file ${id}`,
      pages,
      flags: [],
      options: fileOptions,
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
      const findings: string[] = [];
      const taken: Taken = new Map();
      const files = [...state.files.values()].map(({ id, pages, frames }) => {
        const file = create(anew, id, pages);
        const attached = attachStateOf(state, id);
        file.attach!(NOBODY, attached);
        note(taken, attached, id);
        return { id, frames, file };
      });
      for (const { id, frames, file } of files) {
        for (const { start, end, value } of frames.runs()) {
          for (let page = start; page < end; page++) {
            findings.push(...lookedUp(file, id, page, value + (page - start)));
          }
        }
        findings.push(...handedOut(taken, fill(file, pages), id));
      }
      for (const { id, file } of files) {
        for (const { pfn, count } of attachStateOf(state, id).leased) {
          for (let i = 0; i < count; i++) findings.push(...put(file, pfn));
        }
      }
      return findings;
    },
  };
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

/** A new store, told what its events had come to before; what it records goes nowhere. */
export async function opened(
  factory: () => BackingStore | Promise<BackingStore>,
  journal: Journal = new MemoryJournal(),
): Promise<BackingStore> {
  const store = await factory();
  store.attach?.({
    declare(definition) {
      const at = (position?: number) => replay(journal, position, [definition]).own.of(definition);
      return { state: at(), record() {}, at };
    },
  });
  return store;
}

const NOBODY = {
  invalidate: () => Promise.resolve(),
  fallocate: () => Promise.resolve(),
  quarantined: () => [],
};

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

function handedOut(taken: Taken, runs: readonly PfnRun[], id: number): string[] {
  const findings: string[] = [];
  for (const { start, end, pfn } of runs) {
    for (let i = 0; i < end - start; i++) {
      const why = taken.get(pfn + i);
      if (why !== undefined) {
        findings.push(
          `frame ${pfn + i} is handed out for page ${start + i} of file ${id}: it is ${why}`,
        );
      }
      taken.set(pfn + i, `page ${start + i} of file ${id}`);
    }
  }
  return findings;
}

/** Allocates what the file has not, as far as the store has room. */
function fill(file: StoreFile, pages: number): PfnRun[] {
  const runs: PfnRun[] = [];
  const step = file.granule ?? 1;
  for (let page = 0; page < pages; page += step) {
    try {
      runs.push(...file.allocate(page, page + step).runs);
    } catch (error) {
      if (error instanceof MemfileError) break;
      throw error;
    }
  }
  return runs;
}

function put(file: StoreFile, pfn: number): string[] {
  try {
    file.putUnlockPfn(pfn);
    return [];
  } catch (error) {
    return [`frame ${pfn} was leased, but putUnlockPfn threw ${String(error)}`];
  }
}
