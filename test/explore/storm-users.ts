import { EncryptedDevice } from '../../adapters/encrypted-device/index.js';
import {
  KvmVm,
  MEMORY_ATTRIBUTE_PRIVATE,
  newFault,
  type Fault,
  type MemslotSpec,
} from '../../adapters/kvm/index.js';
import { VmmMapping } from '../../adapters/vmm-mapping/index.js';
import { MemfileError, PAGE_SIZE, type MemoryFile } from '../../core/index.js';
import type { LedgerStore } from '../kvm/ledger-store.js';
import type { Chance } from './chance.js';
import type { Stage } from './stage.js';
import { stepFault } from './step-fault.js';

/** A page that a user has mapped. */
interface Translation {
  readonly file: MemoryFile;
  readonly page: number;
  readonly pfn: number;
  /** The side that it has to be of, where the file says which. */
  readonly private?: boolean | undefined;
}

/** One of the project's own consumers in a storm, as the judge of frames sees it. */
export interface User {
  /** Nobody waits for it any more. */
  evicted?: boolean;
  readonly translations: () => Translation[];
  /** What is wrong with it by itself, between any two turns. */
  readonly wrong?: () => string | undefined;
  /** What is wrong with it when everything is over. */
  readonly atEnd?: () => string | undefined;
}

/** What is done to a user; the statements of storms. */
type Doing<U extends User> = readonly [string, (user: U) => unknown];

/** A kind of user: how it joins, and what may be done to it. */
export interface UserKind<U extends User> {
  readonly join: (stage: Stage, files: readonly MemoryFile[]) => Promise<U>;
  readonly doing: (chance: Chance) => Doing<U>;
}

/**
 * Judges a user by the books of its store, after every turn and in the very moments in which frames
 * are freed and change sides.
 */
export function judge(stage: Stage, store: LedgerStore, user: User): void {
  const expect = (law: number, wrong: string | undefined): void => {
    if (wrong !== undefined) stage.breaks(law, wrong);
  };
  const among =
    (what: string) =>
    (frames: ReadonlySet<number>): void => {
      const used = user.translations().find(({ pfn }) => frames.has(pfn));
      expect(4, used && `page ${used.page} is mapped while its frame ${what}`);
    };
  store.onFree = among('is freed');
  store.onConvert = among('changes sides');
  stage.checks.push(() => {
    for (const { file, page, pfn, private: side } of user.translations()) {
      const frame = store.frameOf(file.id, page);
      if (frame !== pfn) {
        stage.breaks(4, `page ${page} of "${file.name}" is mapped to frame ${pfn}, not ${frame}`);
      }
      if (side !== undefined && store.isPrivate(file.id, page) !== side) {
        stage.breaks(8, `page ${page} of "${file.name}" is mapped for the other side`);
      }
    }
    expect(4, user.wrong?.());
  });
  stage.atEnd.push(() => {
    expect(6, user.atEnd?.());
    for (const wrong of store.broken) stage.breaks(9, wrong);
  });
}

const PAGES = 4;
/** Guest page `n` is page `n % PLACE` of its file, wherever its slot lies. */
const PLACE = 10;

interface Guest extends User {
  readonly vm: KvmVm;
  /** Those that are under way, or were, by the statement that takes their steps. */
  readonly faults: Map<object, Fault>;
  readonly spec: (slot: number, place: number) => MemslotSpec;
}

/** A VM whose memory is one file, or of which one file has the private side and one the shared. */
export function vmUser(chance: Chance): UserKind<Guest> {
  const memory = chance.one(['pieces', 'file', 'both'] as const);
  const offset = chance.below(2);
  const pages = PAGES - offset;
  const logDirty = memory === 'pieces' && chance.below(2) === 0;
  return {
    join: async (stage, files) => {
      const shared = files[memory === 'both' ? 1 : 0]!;
      const vm = new KvmVm({ name: 'vm', scheduler: stage, witness: stage.model });
      const spec = (slot: number, place: number): MemslotSpec => {
        const gfn = place * PLACE + offset;
        const pieces = memory === 'file' ? [] : [{ gfn, pages, file: shared, offset }];
        const guestMemfd = memory === 'pieces' ? undefined : { file: files[0]!, offset };
        return { slot, gfn, pages, pieces, guestMemfd, logDirty };
      };
      await vm.setMemslot(spec(0, 1));
      const mapped = (): { gfn: number; pfn: number; private: boolean }[] =>
        vm.stage2.mappings().flatMap(({ start, end, pfn, private: side }) =>
          Array.from({ length: end - start }, (_, i) => ({
            gfn: start + i,
            pfn: pfn + i,
            private: side,
          })),
        );
      return {
        vm,
        spec,
        faults: new Map(),
        translations: () =>
          mapped().map(({ gfn, pfn, private: side }) => ({
            file: side ? files[0]! : shared,
            page: gfn % PLACE,
            pfn,
            private: memory === 'both' && side ? undefined : side,
          })),
        wrong: () => {
          for (const { gfn, private: side } of mapped()) {
            if (vm.slots.at(gfn) === undefined) return `guest page ${gfn} is mapped without a slot`;
            if (vm.attributes.isPrivate(gfn) !== side) {
              return `guest page ${gfn} is mapped for the other side`;
            }
          }
          return undefined;
        },
        atEnd: () => {
          if (vm.srcu.readers > 0) return 'a reader section of the vm is never over';
          if (vm.invalidations.inProgress > 0) return 'an invalidation of the vm is never over';
          return undefined;
        },
      };
    },
    doing: (of) => {
      const place = 1 + of.below(2);
      const page = of.below(PAGES);
      const gfn = place * PLACE + page;
      switch (of.below(logDirty ? 10 : 9)) {
        case 0:
          return ['delete slot 0', ({ vm }) => vm.setMemslot({ slot: 0, gfn: 0, pages: 0 })];
        case 1:
          return [
            `set slot 0 at ${place * PLACE}`,
            ({ vm, spec }) => vm.setMemslot(spec(0, place)),
          ];
        case 2:
          return [`set slot 1 at ${2 * PLACE}`, ({ vm, spec }) => vm.setMemslot(spec(1, 2))];
        case 3: {
          const attributes = of.below(2) * MEMORY_ATTRIBUTE_PRIVATE;
          const region = { address: gfn * PAGE_SIZE, size: PAGE_SIZE, attributes };
          return [
            `make guest page ${gfn} ${attributes === 0 ? 'shared' : 'private'}`,
            ({ vm }) => vm.setMemoryAttributes(region),
          ];
        }
        case 9:
          return ['read the dirty log', ({ vm }) => vm.getDirtyLog(0)];
        default: {
          const access = {
            private: memory !== 'pieces' && of.below(2) === 0,
            write: of.below(2) === 0,
          };
          const side = access.private ? 'private ' : '';
          const key = {};
          return [
            `${side}${access.write ? 'write' : 'read'} of guest page ${gfn}`,
            ({ vm, faults }) => {
              let fault = faults.get(key);
              if (fault === undefined) faults.set(key, (fault = newFault(gfn, access)));
              return stepFault(vm, fault);
            },
          ];
        }
      }
    },
  };
}

interface Process extends User {
  readonly mapping: VmmMapping;
}

/** A mapping in a process. */
export function mappingUser(): UserKind<Process> {
  return {
    join: async (stage, files) => {
      const file = files[0]!;
      const range = { start: 0, end: PAGES };
      const mapping = await VmmMapping.create(file, { range, witness: stage.model });
      return {
        mapping,
        translations: () =>
          pagesOf(file, (page) => mapping.translation(page)).map((found) => ({
            ...found,
            private: false,
          })),
        wrong: () => {
          if (mapping.mapped || mapping.residentPages === 0) return undefined;
          return 'pages are translated of which none is mapped';
        },
      };
    },
    doing: (of) => {
      const start = of.below(PAGES);
      const end = start + 1 + of.below(PAGES - start);
      const pages = `[${start}, ${end})`;
      switch (of.below(6)) {
        case 0:
          return [`drop ${pages}`, ({ mapping }) => mapping.drop(start, end)];
        case 1:
          return [`unmap ${pages}`, ({ mapping }) => mapping.unmap(start, end)];
        default:
          return [`touch ${pages}`, ({ mapping }) => mapping.touch(start, end)];
      }
    },
  };
}

interface Dma extends User {
  readonly device: EncryptedDevice;
  readonly stage: Stage;
}

const KEY = Uint8Array.from({ length: 64 }, (_, i) => i);

/** A device that maps what there is and does DMA. */
export function deviceUser(chance: Chance): UserKind<Dma> {
  const access = chance.one(['both', 'shared', 'private'] as const);
  return {
    join: async (stage, files) => {
      const file = files[0]!;
      const options = { access, scheduler: stage, witness: stage.model, key: () => KEY };
      const device = new EncryptedDevice(options);
      await device.lock();
      await device.start();
      await device.attach(file, { range: { start: 0, end: PAGES } });
      const translations = (): Translation[] =>
        pagesOf(file, (page) => device.table.translate(page)).map((found) => ({
          ...found,
          private: access === 'both' ? undefined : access === 'private',
        }));
      return {
        device,
        stage,
        translations,
        atEnd: () => {
          const has = new Set(translations().map(({ page }) => page));
          if (!device.running) return has.size === 0 ? undefined : 'a device at rest has pages';
          const { poisoned } = stage.state.files.get(file.id) ?? {};
          if (poisoned === undefined || device.attachments.length === 0) return undefined;
          for (const { start, end } of file.populated(0, PAGES, access)) {
            for (let page = start; page < end; page++) {
              if (has.has(page) || poisoned.count(page, page + 1) > 0) continue;
              return `page ${page} is there, and the device has not mapped it`;
            }
          }
          return undefined;
        },
      };
    },
    doing: (of) => {
      const page = of.below(PAGES);
      switch (of.below(6)) {
        case 0:
          return ['stop the device', ({ device }) => device.stop()];
        case 1:
        case 2:
          return ['start the device', ({ device }) => device.lock().then(() => device.start())];
        default:
          return [
            `DMA from page ${page}`,
            (user) =>
              user.device.read(page * PAGE_SIZE, 1).catch((error: unknown) => {
                const stale = error instanceof MemfileError && error.code === 'ESTALE';
                if (stale && user.evicted !== true) {
                  user.stage.breaks(4, `page ${page} left while DMA was in flight`);
                }
                throw error;
              }),
          ];
      }
    },
  };
}

function pagesOf(file: MemoryFile, frame: (page: number) => number): Translation[] {
  return Array.from({ length: PAGES }, (_, page) => ({ file, page, pfn: frame(page) })).filter(
    ({ pfn }) => pfn >= 0,
  );
}
