import { MemfileError } from '../../core/index.js';
import {
  MAPPED,
  newFault,
  SPURIOUS,
  step,
  type Access,
  type Fault,
  type FaultExit,
  type Mapped,
} from './fault.js';
import type { FaultHost } from './fault.js';
import type { Level } from './levels.js';

/** What a fault that may wait needs of its VM. */
export interface WaitingFaultHost extends FaultHost {
  /** Resolves when the changes of slots that are under way are over. */
  slotsSettled(): Promise<void>;
}

export interface FaultOptions extends Access {
  /** Ends the waiting with EINTR. */
  readonly signal?: AbortSignal | undefined;
}

/** Faults that map are answered alike, so one promise of each answer serves all. */
const ANSWERS = { mapped: answers(MAPPED), spurious: answers(SPURIOUS) };

function answers(exits: Mapped): Readonly<Record<Level, Promise<FaultExit>>> {
  return {
    1: Promise.resolve(exits[1]),
    2: Promise.resolve(exits[2]),
    3: Promise.resolve(exits[3]),
  };
}

/**
 * Takes the steps of a fault until it is over. A hole is allocated, and a fault that something got
 * in the way of waits until that is over and starts again.
 *
 * @param prefetch does not wait for a slot that is being deleted or moved: EAGAIN.
 */
export function runFault(
  vm: WaitingFaultHost,
  gfn: number,
  options?: FaultOptions,
  prefetch = false,
): Promise<FaultExit> {
  // Mostly there is nothing to wait for, and an async function costs as much as the fault.
  try {
    const fault = newFault(gfn, options);
    const exit = advance(vm, fault);
    if (exit === undefined) return finishFault(vm, fault, options?.signal, prefetch);
    if (exit.type !== 'mapped') return Promise.resolve(exit);
    return (exit.spurious ? ANSWERS.spurious : ANSWERS.mapped)[exit.level];
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Takes the steps of a fault up to its end, or up to where it has to wait: undefined then. */
export function advance(vm: FaultHost, fault: Fault): FaultExit | undefined {
  while (fault.next !== 'populate' && fault.next !== 'retry' && fault.next !== 'done') {
    step(vm, fault);
  }
  return fault.next === 'done' ? fault.exit : undefined;
}

/** Waits where a fault has to, and takes the steps that are left. */
export async function finishFault(
  vm: WaitingFaultHost,
  fault: Fault,
  signal: AbortSignal | undefined,
  prefetch = false,
): Promise<FaultExit> {
  for (;;) {
    const exit = advance(vm, fault);
    if (exit !== undefined) return exit;
    if (signal?.aborted) throw interrupted(signal);
    if (fault.next === 'populate') await populate(fault, signal);
    else if (fault.obstacle === 'invalidation') {
      await interruptible(vm.invalidations.moved(fault.snapshot), signal);
    } else if (prefetch) {
      throw new MemfileError(
        'EAGAIN',
        'prefault',
        `the slot of guest page ${fault.gfn} is changing`,
      );
    } else await interruptible(vm.slotsSettled(), signal);
    step(vm, fault);
  }
}

/** Allocates the page; waits for every operation on it, so whoever raced us is over then. */
async function populate(fault: Fault, signal: AbortSignal | undefined): Promise<void> {
  const binding = fault.binding!;
  const page = binding.offsetOf(fault.gfn);
  const options = { keepSize: true, reason: 'fault', signal } as const;
  try {
    await binding.piece.file.fallocate(page, page + 1, options);
  } catch (error) {
    // A file that is closed or shorter by now is for the next try to find; a page there, to map.
    const { code, effect } = error as MemfileError;
    if (code !== 'EBADF' && code !== 'EFAULT' && effect !== 'done') throw error;
  }
}

function interruptible(over: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return over;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(interrupted(signal));
    signal.addEventListener('abort', abort, { once: true });
    void over.then(resolve).then(() => signal.removeEventListener('abort', abort));
  });
}

function interrupted(signal: AbortSignal): MemfileError {
  return new MemfileError('EINTR', 'fault', 'aborted', { cause: signal.reason });
}
