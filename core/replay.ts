import { MemfileError } from './errno.js';
import { evolve, EVOLVE_VERSION } from './evolve.js';
import type { Journal } from './journal.js';
import { restoreState } from './saved-state.js';
import { MemfileState } from './state.js';

/**
 * The state after the event at `to`, folded from the journal alone: from the latest checkpoint
 * before it, or from the first event.
 * @throws MemfileError ESTALE when the journal has forgotten what it would take.
 */
export function replay(journal: Journal, to: number = journal.position): MemfileState {
  const checkpoint = journal.checkpoint(to, EVOLVE_VERSION);
  const state = checkpoint === undefined ? new MemfileState() : restoreState(checkpoint.state);
  if (journal.first > state.position + 1) {
    const oldest = `the oldest event left has position ${journal.first}`;
    throw new MemfileError('ESTALE', 'replay', `position ${to} is forgotten: ${oldest}`);
  }
  for (const event of journal.read(state.position + 1, to + 1)) evolve(state, event);
  return state;
}
