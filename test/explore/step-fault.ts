import { KvmVm, newFault, step, type Fault, type FaultStep } from '../../adapters/kvm/index.js';
import { MemfileError, type MemoryFile } from '../../core/index.js';
import { LedgerStore } from '../kvm/ledger-store.js';
import { AGAIN } from './program.js';
import type { Stage } from './stage.js';

/** The parts of a VM that a fault goes through, and what it waits for when it has to. */
export type FaultingVm = Parameters<typeof step>[0] &
  Pick<KvmVm, 'slotsSettled'> & { readonly invalidations: Pick<KvmVm['invalidations'], 'moved'> };

/**
 * A statement that takes one step of a fault at a time, as `KvmVm.fault` does all at once: every
 * other thread may come in between. `onStep` learns where the fault has come to.
 */
export function stepFault(
  vm: FaultingVm,
  fault: Fault,
  onStep: (reached: FaultStep) => void = () => {},
): unknown {
  step(vm, fault);
  onStep(fault.next);
  const again = (): typeof AGAIN => AGAIN;
  switch (fault.next) {
    case 'done':
      return undefined;
    case 'populate': {
      const binding = fault.binding!;
      const page = binding.offsetOf(fault.gfn);
      const options = { keepSize: true, reason: 'fault' } as const;
      return binding.piece.file.fallocate(page, page + 1, options).then(again, (error: unknown) => {
        // A file that is closed or shorter by now is for the next try to find.
        const gone = error instanceof MemfileError && ['EBADF', 'EFAULT'].includes(error.code);
        if (gone) return AGAIN;
        throw error;
      });
    }
    case 'retry':
      if (fault.obstacle === 'slot') return vm.slotsSettled().then(again);
      return vm.invalidations.moved(fault.snapshot).then(again);
    default:
      return AGAIN;
  }
}

/** What a VM may map: after every step, frames that the store has given to that page and not freed. */
export function judgeMappings(
  stage: Stage,
  store: LedgerStore,
  mappings: () => readonly { readonly start: number; readonly end: number; readonly pfn: number }[],
): void {
  stage.checks.push(() => {
    for (const { start, pfn } of mappings()) {
      if (store.isLive(pfn)) continue;
      stage.breaks(4, `guest page ${start} is mapped to frame ${pfn}, which was freed`);
    }
  });
}

/** A file of which no frame is ever used twice. */
export function ledgerFile(
  stage: Stage,
  pages: number,
): { readonly store: LedgerStore; readonly file: MemoryFile } {
  const store = new LedgerStore();
  return { store, file: stage.file('ram', pages, store) };
}

/** A VM over two pages of a file, and a fault of the first that is to come. */
export interface Guest extends ReturnType<typeof ledgerFile> {
  readonly vm: KvmVm;
  readonly fault: Fault;
}

export interface GuestOptions {
  /** Whether the pages are there; true by default. */
  readonly populated?: boolean | undefined;
  /** Whether somebody else takes time to let go of them. */
  readonly slow?: boolean | undefined;
  /** Its guest page; 10 by default, 11 is the second. */
  readonly gfn?: number | undefined;
}

/** Guest pages 10 and 11 are a file of two pages; what the VM maps is judged. */
export async function guestOver(
  stage: Stage,
  { populated = true, slow = false, gfn = 10 }: GuestOptions = {},
  Vm: typeof KvmVm = KvmVm,
): Promise<Guest> {
  const { store, file } = ledgerFile(stage, 2);
  if (populated) await file.fallocate(0, 2);
  if (slow) await stage.listen(file, 'slow', { slow: ['invalidate'] });
  const vm = new Vm({ scheduler: stage, witness: stage.model });
  const pieces = [{ gfn: 10, pages: 2, file, offset: 0 }];
  await vm.setMemslot({ slot: 0, gfn: 10, pages: 2, pieces });
  judgeMappings(stage, store, () => vm.stage2.mappings());
  return { store, file, vm, fault: newFault(gfn) };
}
