import { asMemfileError } from './errno.js';
import type { FileCore } from './file-core.js';
import type { Notifier } from './notifier.js';
import type { Operation } from './operation.js';
import type { Enlistment } from './options.js';
import type { PageRange } from './page-range.js';
import { prepare } from './preparation.js';
import { refusesRegister } from './refusals.js';
import { Registration } from './registration.js';
import { tell } from './audience.js';
import { ToldEvent } from './told-event.js';

/**
 * Gives a consumer its place in the list, after what it and the store declare was compared. `then`
 * comes when it is told of all that it is to be told of.
 * @throws MemfileError EOPNOTSUPP when it cannot follow what the store does to pages; ENOSPC when
 * what is there does not fit into its budget.
 */
export function enlist(
  file: FileCore,
  operation: Operation,
  notifier: Notifier,
  asked: Enlistment,
  then: (operation: Operation, registration: Registration) => void,
): void {
  const { state, engine, notifiers } = file;
  const { start, end, access = 'both', signal, replay = false } = asked;
  const id = engine.state.lastRegistration + 1;
  const name = asked.name ?? notifier.name ?? `consumer ${id}`;
  const missing = refusesRegister(file, name, asked);
  if (missing !== undefined) throw missing;
  const event = { type: 'register', file: state.id, registration: id, name, start, end } as const;
  const position = file.record(operation, access === 'both' ? event : { ...event, access });
  const range = { start, end };
  const registration = new Registration(file, id, name, range, position, notifier, asked);
  notifiers.add(registration);
  if (signal !== undefined) registration.unsubscribeOn(signal);
  try {
    asked.joined?.(registration);
  } catch (error) {
    registration.unsubscribe();
    throw asMemfileError(error, 'register', `"${name}"`);
  }
  if (replay) replayTo(file, operation, registration, () => then(operation, registration));
  else then(operation, registration);
}

/**
 * Tells a new consumer of the pages that were there before it, as if they arrived now. `then`
 * comes when it knows of all of them; if it refuses any, it has rolled back and left.
 */
function replayTo(
  file: FileCore,
  operation: Operation,
  registration: Registration,
  then: () => void,
): void {
  const stretches = registration.snapshot;
  const record = (
    callback: 'prepare' | 'fallocate' | 'rollback',
    { start, end }: PageRange,
  ): number =>
    file.record(operation, {
      type: 'replay',
      file: file.state.id,
      operation: operation.id,
      registration: registration.id,
      callback,
      start,
      end,
    });
  const voters = registration.votes ? [registration] : [];
  // What it has room for was found out before it was let in.
  const questions = stretches.map((stretch) => ({ ...stretch, voters, runs: [] }));
  prepare(file, operation, { reason: 'replay', questions, record }, (agreed) => {
    if (!agreed) {
      registration.unsubscribe();
      operation.finish();
      return;
    }
    for (const stretch of stretches) {
      if (!registration.active) break; // It left while it was asked.
      const position = record('fallocate', stretch);
      const event = new ToldEvent(file, operation, 'fallocate', 'replay', position);
      tell(file.engine, registration, event, stretch.start, stretch.end);
    }
    operation.whenLetGo('the consumer knows what is there', () => {
      if (operation.hasFailed) {
        operation.effect = 'none'; // A consumer that is half informed is not left in the list.
        registration.unsubscribe();
      }
      then();
    });
  });
}
