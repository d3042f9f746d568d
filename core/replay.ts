import { MemfileError, show } from './errno.js';
import { evolve, EVOLVE_VERSION } from './evolve.js';
import { evolvePiece } from './evolve-piece.js';
import type { Journal } from './journal.js';
import type { EventDefinition } from './own-events.js';
import { isPageCount } from './page-range.js';
import { restoreState } from './saved-state.js';
import { MemfileState } from './state.js';

/**
 * The state after the event at `to`, folded from the journal alone: from the latest checkpoint
 * before it, or from the first event.
 * @param definitions whose own states are wanted too, in `own` of the answer.
 * @throws MemfileError ESTALE when the journal has forgotten what it would take; EOPNOTSUPP when a
 * later version of a definition recorded events.
 */
export function replay(
  journal: Journal,
  to: number = journal.position,
  definitions: readonly EventDefinition[] = [],
): MemfileState {
  const checkpoint = journal.checkpoint(to, EVOLVE_VERSION);
  const state = checkpoint === undefined ? new MemfileState() : restoreState(checkpoint.state);
  if (journal.first > state.position + 1) {
    const oldest = `the oldest event left has position ${journal.first}`;
    throw new MemfileError('ESTALE', 'replay', `position ${to} is forgotten: ${oldest}`);
  }
  for (const definition of definitions) state.own.declare(definition, journal, state);
  const [from, end] = [state.position + 1, to + 1];
  const pieces = journal.pieces(from, end);
  if (pieces === undefined) for (const event of journal.read(from, end)) evolve(state, event);
  else for (const piece of pieces) evolvePiece(state, piece, end);
  return state;
}

/** @throws MemfileError EINVAL when the journal has no event at `position`, and it is not 0. */
export function checkPosition(journal: Journal, position: number): void {
  const last = journal.position;
  if (isPageCount(position) && position <= last) return;
  throw new MemfileError('EINVAL', 'replay', `position ${show(position)} is not in 0..${last}`);
}
