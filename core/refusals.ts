import type { Conversion } from './capabilities.js';
import { asMemfileError, MemfileError, type ErrnoCode } from './errno.js';
import type { Seal } from './event.js';
import type { FileCore } from './file-core.js';
import { cannotFollow, overBudget } from './negotiation.js';
import type { Enlistment } from './options.js';
import { clip, type PageRange } from './page-range.js';
import { ofSide, usableFrames } from './usable.js';

/**
 * Why a memory file refuses an operation as it is now, before anybody is asked; undefined when it
 * does not. What was declared of its store counts, then its seals.
 */

export function refusesFallocate(file: FileCore, end: number): MemfileError | undefined {
  const { capabilities, state } = file;
  if (capabilities.fallocate === false) return cannot(file, 'fallocate', 'allocates nothing');
  return end > state.pages ? sealed(file, 'fallocate', 'grow') : undefined;
}

export function refusesPunch(file: FileCore): MemfileError | undefined {
  if (file.capabilities.punchHole === false) return cannot(file, 'punchHole', 'cannot be punched');
  return file.state.seals.size > 0 ? sealed(file, 'punchHole', 'write') : undefined;
}

export function refusesTruncate(file: FileCore, pages: number): MemfileError | undefined {
  const { state, store } = file;
  const seal = pages > state.pages ? 'grow' : 'shrink';
  const refusal = pages === state.pages ? undefined : sealed(file, 'truncate', seal);
  if (refusal !== undefined) return refusal;
  if (state.pages !== 0 && state.flags.includes('inaccessible')) {
    return error('EPERM', 'truncate', `"${state.name}" is inaccessible and has its size`);
  }
  try {
    store.checkSize?.(pages);
    return undefined;
  } catch (failure) {
    return asMemfileError(failure, 'truncate', `store "${state.store}"`);
  }
}

export function refusesConvert(
  file: FileCore,
  range: PageRange,
  { to, content }: Conversion,
): MemfileError | undefined {
  const { conversions = ['unspecified', 'preserve'] } = file.capabilities;
  if (to === 'private' && content === 'zero') {
    return error('EOPNOTSUPP', 'convert', 'private contents cannot be set from outside');
  }
  if (conversions.includes(content))
    return untrusted(file, ofSide(file.state, range, to === 'private' ? 'shared' : 'private'));
  const known = conversions.map((mode) => `'${mode}'`).join(', ') || 'none';
  return cannot(file, 'convert', `cannot convert with content '${content}'; it can: ${known}`);
}

/** Whoever failed to let go of a page may use its frame still, whatever side it is told to be of. */
function untrusted({ state }: FileCore, changing: readonly PageRange[]): MemfileError | undefined {
  for (const { consumer, ...range } of state.untrusted) {
    const page = clip(changing, range)[0]?.start;
    if (page === undefined) continue;
    const why = `"${consumer}" failed to let go of page ${page} of "${state.name}"; punch it first`;
    return new MemfileError('EBUSY', 'convert', why, { refused: { consumer, page, holders: [] } });
  }
  return undefined;
}

/** What the consumer declares counts too: what it follows, and its budget for what is there. */
export function refusesRegister(
  { state, capabilities }: FileCore,
  name: string,
  { start, end, access = 'both', follows = 'movable', budget }: Enlistment,
): MemfileError | undefined {
  const missing = cannotFollow(name, follows, state.store, capabilities);
  if (missing !== undefined || budget === undefined) return missing;
  return overBudget('register', budget, usableFrames(state, { start, end }, access));
}

export function refusesSeals(file: FileCore, seals: readonly Seal[]): MemfileError | undefined {
  const refusal = sealed(file, 'addSeals', 'seal');
  if (refusal !== undefined) return refusal;
  if (!seals.includes('write') || file.leases === 0) return undefined;
  return error('EBUSY', 'addSeals', `${file.leases} leases of "${file.state.name}" are out`);
}

function sealed({ state }: FileCore, syscall: string, seal: Seal): MemfileError | undefined {
  if (!state.seals.has(seal)) return undefined;
  return error('EPERM', syscall, `"${state.name}" is sealed against it with '${seal}'`);
}

function cannot({ state }: FileCore, syscall: string, what: string): MemfileError {
  return error('EOPNOTSUPP', syscall, `store "${state.store}" ${what}`);
}

function error(code: ErrnoCode, syscall: string, detail: string): MemfileError {
  return new MemfileError(code, syscall, detail);
}
