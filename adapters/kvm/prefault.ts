import { MemfileError, PAGE_SIZE } from '../../core/index.js';
import { pagesOf } from './bytes.js';
import { LEVEL_PAGES } from './levels.js';
import { runFault, type WaitingFaultHost } from './run-fault.js';

/** `struct kvm_pre_fault_memory`: bytes. */
export interface PreFaultMemory {
  readonly gpa: number;
  readonly size: number;
  readonly flags?: number | undefined;
}

/**
 * Maps guest memory before the guest asks for it, as KVM_PRE_FAULT_MEMORY: page after page until
 * all are mapped or one cannot be. Answers what is left; it rejects only when nothing was done:
 * EINVAL for flags, no size or a range that is not aligned or wraps; ENOENT where no slot is; EINTR
 * when `signal` fires; EAGAIN when a slot is changing; EFAULT and EHWPOISON as a fault; and as
 * `fallocate`.
 */
export async function prefault(
  vm: WaitingFaultHost,
  range: PreFaultMemory,
  signal?: AbortSignal,
): Promise<{ readonly gpa: number; readonly size: number }> {
  const { gpa, size, flags = 0 } = range;
  if (flags !== 0) throw new MemfileError('EINVAL', 'prefault', `there are no flags, got ${flags}`);
  const { start, end } = pagesOf('prefault', ['gpa', 'size'], gpa, size);
  if (start === end) throw new MemfileError('EINVAL', 'prefault', 'size is 0');
  let gfn = start;
  try {
    while (gfn < end) gfn = Math.min(end, await prefaultPage(vm, gfn, signal));
  } catch (error) {
    if (gfn === start) throw error;
  }
  return { gpa: gfn * PAGE_SIZE, size: (end - gfn) * PAGE_SIZE };
}

/** Maps one page for reading, with the attribute that it has; answers where its mapping ends. */
async function prefaultPage(
  vm: WaitingFaultHost,
  gfn: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (signal?.aborted) {
    throw new MemfileError('EINTR', 'prefault', 'aborted', { cause: signal.reason });
  }
  const access = { private: vm.attributes.isPrivate(gfn), signal };
  const exit = await runFault(vm, gfn, access, true);
  switch (exit.type) {
    case 'mapped': {
      const pages = LEVEL_PAGES[exit.level];
      return gfn - (gfn % pages) + pages;
    }
    case 'mmio':
      throw new MemfileError('ENOENT', 'prefault', `no slot has guest page ${gfn}`);
    case 'memory-fault':
      throw new MemfileError(exit.code, 'prefault', `guest page ${gfn} cannot be mapped`);
  }
}
