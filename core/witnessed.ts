import type { Engine } from './engine.js';
import type { Outcome } from './event.js';
import type { Section } from './section.js';
import type { ToldEvent } from './told-event.js';

/** Whose callbacks are witnessed: a registration of a file. */
interface Told {
  readonly id: number;
}

/** A consumer is about to be told of pages `[start, end)`. */
export function witnessDelivery(
  engine: Engine,
  file: number,
  { id: registration }: Told,
  { operation, position, type: callback, reason }: ToldEvent,
  start: number,
  end: number,
): void {
  const where = { file, operation: operation.id, registration, of: position };
  engine.witness({ type: 'delivery', ...where, callback, start, end, reason });
}

/** A consumer does not answer at once, or is done at last. */
export function witnessAnswer(
  engine: Engine,
  file: number,
  { id: registration }: Told,
  { operation, position, callback }: Section,
  outcome: Outcome,
): void {
  const where = { file, operation: operation.id, registration, of: position };
  engine.witness({ type: 'answer', ...where, callback, outcome });
}

/** A consumer that left while it was at work is done. */
export function witnessGrace(engine: Engine, file: number, { id: registration }: Told): void {
  engine.witness({ type: 'grace', file, registration });
}
