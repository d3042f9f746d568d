import {
  ERRNO,
  MemfileError,
  PAGE_SIZE,
  type Lease,
  type SrcuDomain,
  type SrcuIndex,
} from '../../core/index.js';
import type { Attributes } from './attributes.js';
import type { Binding } from './binding.js';
import type { Invalidations } from '../invalidations.js';
import { largestLevel } from './large-mapping.js';
import { LEVEL_PAGES, type Level } from './levels.js';
import type { Memslot } from './memslot.js';
import type { Memslots } from './memslots.js';
import type { Stage2 } from './stage2.js';

/** What a fault needs of its VM. */
export interface FaultHost {
  /** Who reads `slots` does so in a section of it: `kvm->srcu`. */
  readonly srcu: SrcuDomain;
  readonly slots: Memslots;
  readonly attributes: Pick<Attributes, 'isPrivate' | 'uniform'>;
  readonly invalidations: Invalidations;
  readonly stage2: Stage2;
}

/** What the guest does to a page; a shared read by default. */
export interface Access {
  readonly private?: boolean | undefined;
  readonly write?: boolean | undefined;
}

/**
 * Where a fault stands. From 'snapshot' to 'release' it is inside a reader section of the VM.
 *
 * At 'populate' its page is a hole of the file, and has to be allocated first; at 'retry' a change
 * got in its way. It is outside of every section there, and the next step starts over.
 */
export type FaultStep =
  | 'snapshot'
  | 'attributes'
  | 'slot'
  | 'check'
  | 'lookup'
  | 'recheck'
  | 'map'
  | 'release'
  | 'populate'
  | 'retry'
  | 'done';

/** KVM_EXIT_MEMORY_FAULT, and the error that KVM_RUN answers with it. */
export interface MemoryFault {
  readonly type: 'memory-fault';
  readonly code: 'EFAULT' | 'EHWPOISON';
  /** Negative: -14 for EFAULT. */
  readonly errno: number;
  /** In bytes. */
  readonly gpa: number;
  readonly size: number;
  /** `MEMORY_EXIT_PRIVATE` for a private access, or 0. */
  readonly flags: number;
}

/** KVM_MEMORY_EXIT_FLAG_PRIVATE. */
export const MEMORY_EXIT_PRIVATE = 8;

/** How a fault ended. */
export type FaultExit =
  /** `spurious` when it was mapped already. */
  | { readonly type: 'mapped'; readonly level: Level; readonly spurious: boolean }
  /** No memory there, or none that can be written: the VMM emulates the access. */
  | { readonly type: 'mmio'; readonly gpa: number }
  | MemoryFault;

export type Mapped = Readonly<Record<Level, FaultExit>>;

function mapped(spurious: boolean): Mapped {
  const at = (level: Level): FaultExit => Object.freeze({ type: 'mapped', level, spurious });
  return { 1: at(1), 2: at(2), 3: at(3) };
}

/** How faults end that map a page, and those that find it mapped. */
export const MAPPED = mapped(false);
export const SPURIOUS = mapped(true);

/** A stage-2 fault of one guest page, as a machine that can be stopped between any two steps. */
export interface Fault {
  readonly gfn: number;
  readonly private: boolean;
  readonly write: boolean;
  next: FaultStep;
  /** What is in the way at 'retry'. */
  obstacle: 'invalidation' | 'slot' | undefined;
  snapshot: number;
  section: SrcuIndex | undefined;
  slot: Memslot | undefined;
  binding: Binding | undefined;
  lease: Lease | undefined;
  exit: FaultExit | undefined;
}

const SHARED_READ: Access = {};

export function newFault(gfn: number, access: Access = SHARED_READ): Fault {
  return {
    gfn,
    private: access.private ?? false,
    write: access.write ?? false,
    next: 'snapshot',
    obstacle: undefined,
    snapshot: 0,
    section: undefined,
    slot: undefined,
    binding: undefined,
    lease: undefined,
    exit: undefined,
  };
}

/**
 * Takes the next step of `kvm_tdp_page_fault` (arch/x86/kvm/mmu/mmu.c). It never waits.
 *
 * The snapshot comes before everything that is read, the attributes included; the checks before and
 * after the lookup only spare work, and the one in the step that maps decides.
 * @throws MemfileError as the lookup does when the store fails; the fault is over then.
 */
export function step(vm: FaultHost, fault: Fault): void {
  try {
    fault.next = next(vm, fault);
  } catch (error) {
    abandon(vm, fault);
    throw error;
  }
}

/** Gives up a fault that is under way, wherever it stands: gives back what it holds. */
export function abandon(vm: FaultHost, fault: Fault): void {
  fault.next = 'done';
  try {
    putLease(fault);
  } finally {
    leave(vm, fault);
  }
}

function next(vm: FaultHost, fault: Fault): FaultStep {
  switch (fault.next) {
    case 'snapshot':
    case 'populate':
    case 'retry':
      fault.section = vm.srcu.readLock();
      fault.snapshot = vm.invalidations.snapshot();
      return 'attributes';
    case 'attributes':
      if (fault.private === vm.attributes.isPrivate(fault.gfn)) return 'slot';
      return memoryFault(vm, fault, 'EFAULT');
    case 'slot':
      return findSlot(vm, fault);
    case 'check':
      return stale(vm, fault) ? retry(vm, fault, 'invalidation') : 'lookup';
    case 'lookup':
      return lookup(vm, fault);
    case 'recheck':
      return stale(vm, fault) ? 'release' : 'map';
    case 'map':
      map(vm, fault);
      return 'release';
    case 'release':
      putLease(fault);
      return fault.exit === undefined ? retry(vm, fault, 'invalidation') : finish(vm, fault);
    case 'done':
      return 'done';
  }
}

function findSlot(vm: FaultHost, fault: Fault): FaultStep {
  const { gfn } = fault;
  const slot = vm.slots.at(gfn);
  fault.slot = slot;
  if (slot === undefined) return fault.private ? memoryFault(vm, fault, 'EFAULT') : mmio(vm, fault);
  if (slot.invalid) return retry(vm, fault, 'slot');
  const binding = bindingOf(slot, fault);
  fault.binding = binding;
  // The slot may be younger than the answer to the step before.
  if (binding === undefined || !binding.agrees(gfn, fault.private)) {
    return memoryFault(vm, fault, 'EFAULT');
  }
  return fault.write && slot.readOnly ? mmio(vm, fault) : 'check';
}

function bindingOf({ bindings }: Memslot, fault: Fault): Binding | undefined {
  let at = 0; // Sooner than an iterator, for the one or two that there are.
  while (at < bindings.length && !bindings[at]!.serves(fault.gfn, fault.private)) at++;
  return bindings[at];
}

function lookup(vm: FaultHost, fault: Fault): FaultStep {
  const { gfn } = fault;
  const binding = fault.binding!;
  // Past the end of the file there is nothing to map, even if pages were kept there.
  const { file } = binding.piece;
  if (binding.offsetOf(gfn) >= file.pages) return memoryFault(vm, fault, 'EFAULT');
  try {
    fault.lease = binding.lookup(gfn);
    return 'recheck';
  } catch (error) {
    return refused(vm, fault, error);
  }
}

/** The lookup failed. */
function refused(vm: FaultHost, fault: Fault, error: unknown): FaultStep {
  if (!(error instanceof MemfileError)) throw error;
  switch (error.code) {
    case 'ENOENT':
      leave(vm, fault);
      return 'populate';
    case 'EBADF': // The slot is there, and its file is closed.
    case 'ENODEV': // Its device has revoked it.
    case 'EFAULT': // The page has become one of the other side.
      return memoryFault(vm, fault, 'EFAULT');
    case 'EHWPOISON':
      return memoryFault(vm, fault, 'EHWPOISON');
    default:
      throw error;
  }
}

/** Whether the fault is sure to come in vain; without the lock, so it may be wrong either way. */
function stale({ invalidations }: FaultHost, { snapshot, gfn }: Fault): boolean {
  return invalidations.retry(snapshot, gfn, gfn + 1);
}

/** What KVM does under `mmu_lock`: checks for good, and maps. */
function map({ invalidations, stage2, attributes }: FaultHost, fault: Fault): void {
  const { snapshot, gfn, write } = fault;
  const slot = fault.slot!;
  const { pfn } = fault.lease!;
  const level = largestLevel(attributes, fault);
  const start = level === 1 ? gfn : gfn - (gfn % LEVEL_PAGES[level]);
  const end = start + LEVEL_PAGES[level];
  if (invalidations.retry(snapshot, start, end) || !fault.binding!.active) return;
  const writable = !slot.readOnly && (write || !slot.logDirty);
  const spurious = stage2.fault(gfn, pfn, fault.private, write, writable, level);
  if (spurious !== undefined) {
    fault.exit = SPURIOUS[spurious];
    return;
  }
  if (write) slot.dirty?.add(gfn, gfn + 1);
  fault.exit = MAPPED[level];
}

function retry(vm: FaultHost, fault: Fault, obstacle: 'invalidation' | 'slot'): FaultStep {
  leave(vm, fault);
  fault.obstacle = obstacle;
  return 'retry';
}

function memoryFault(vm: FaultHost, fault: Fault, code: MemoryFault['code']): FaultStep {
  return exit(vm, fault, {
    type: 'memory-fault',
    code,
    errno: -ERRNO[code].errno,
    gpa: fault.gfn * PAGE_SIZE,
    size: PAGE_SIZE,
    flags: fault.private ? MEMORY_EXIT_PRIVATE : 0,
  });
}

function mmio(vm: FaultHost, fault: Fault): FaultStep {
  return exit(vm, fault, { type: 'mmio', gpa: fault.gfn * PAGE_SIZE });
}

function exit(vm: FaultHost, fault: Fault, how: FaultExit): FaultStep {
  fault.exit = how;
  return finish(vm, fault);
}

function finish(vm: FaultHost, fault: Fault): FaultStep {
  leave(vm, fault);
  return 'done';
}

/** Forgotten first: even a put that fails is not tried again. */
function putLease(fault: Fault): void {
  const { lease, binding } = fault;
  fault.lease = undefined;
  if (lease !== undefined) binding!.put(lease);
}

function leave(vm: FaultHost, fault: Fault): void {
  if (fault.section !== undefined) vm.srcu.readUnlock(fault.section);
  fault.section = undefined;
}
