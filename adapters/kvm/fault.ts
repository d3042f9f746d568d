import { MemfileError, type Extents, type Lease } from '../../core/index.js';
import type { InvalidationSequence } from '../invalidation-sequence.js';
import type { RegisteredPiece } from './memslot.js';

/** What a fault needs of its VM. */
export interface FaultHost {
  readonly invalidations: InvalidationSequence;
  /** Guest page to frame. */
  readonly stage2: Extents;
  pieceAt(gfn: number): RegisteredPiece | undefined;
}

/** Where a fault stands; `populate` is the only step that waits for anybody. */
export type FaultStep = 'snapshot' | 'slot' | 'lookup' | 'populate' | 'map' | 'release' | 'done';

/**
 * How a fault ended: mapped; no memory there, so that the VMM has to emulate; or memory whose file
 * is closed (EFAULT with KVM_EXIT_MEMORY_FAULT).
 */
export type FaultOutcome = 'mapped' | 'mmio' | 'memory-fault';

/** A stage-2 fault of one guest page, as a machine that can be stopped between any two steps. */
export interface Fault {
  readonly gfn: number;
  next: FaultStep;
  snapshot: number;
  piece: RegisteredPiece | undefined;
  lease: Lease | undefined;
  outcome: 'pending' | FaultOutcome;
}

export function newFault(gfn: number): Fault {
  return {
    gfn,
    next: 'snapshot',
    snapshot: 0,
    piece: undefined,
    lease: undefined,
    outcome: 'pending',
  };
}

/**
 * Takes the next step of `kvm_mmu_do_page_fault` (arch/x86/kvm/mmu/mmu.c): the snapshot comes
 * first, and only the check in the step that maps decides whether the frame is still good.
 */
export function step(vm: FaultHost, fault: Fault): void {
  switch (fault.next) {
    case 'snapshot':
      fault.snapshot = vm.invalidations.snapshot();
      fault.next = 'slot';
      return;
    case 'slot':
      fault.piece = vm.pieceAt(fault.gfn);
      fault.next = fault.piece === undefined ? 'done' : 'lookup';
      if (fault.piece === undefined) fault.outcome = 'mmio';
      return;
    case 'lookup':
      if (!fault.piece!.registration.active) {
        // The slot was deleted since, or it is there and its file is closed.
        const closed = vm.pieceAt(fault.gfn) === fault.piece;
        if (closed) fault.outcome = 'memory-fault';
        fault.next = closed ? 'done' : 'snapshot';
      } else {
        fault.lease = lookup(fault.piece!, fault.gfn);
        fault.next = fault.lease === undefined ? 'populate' : 'map';
      }
      return;
    case 'map': {
      const stale = vm.invalidations.retry(fault.snapshot, fault.gfn);
      if (!stale) {
        vm.stage2.set(fault.gfn, fault.gfn + 1, fault.lease!.pfn);
        fault.outcome = 'mapped';
      }
      fault.next = 'release';
      return;
    }
    case 'release': {
      const { lease, piece } = fault;
      lease!.put();
      piece!.witness?.put(lease!);
      fault.lease = undefined;
      fault.next = fault.outcome === 'mapped' ? 'done' : 'populate';
      return;
    }
    case 'populate':
    case 'done':
      return;
  }
}

/** Steps until the page is mapped; a hole is allocated, and a raced fault starts over. */
export async function runFault(vm: FaultHost, gfn: number): Promise<FaultOutcome> {
  const fault = newFault(gfn);
  for (;;) {
    while (fault.next !== 'populate' && fault.next !== 'done') step(vm, fault);
    if (fault.next === 'done') return fault.outcome as FaultOutcome;
    const { file, offset, gfn: base } = fault.piece!;
    const page = offset + (gfn - base);
    // Waits for every operation on the page, so whoever raced us is over when it resolves.
    await file.fallocate(page, page + 1, { keepSize: true, reason: 'fault' });
    fault.next = 'snapshot';
  }
}

function lookup(piece: RegisteredPiece, gfn: number): Lease | undefined {
  try {
    const lease = piece.registration.lookup(piece.offset + (gfn - piece.gfn));
    piece.witness?.lookedUp(lease);
    return lease;
  } catch (error) {
    if (error instanceof MemfileError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
