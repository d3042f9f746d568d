import { MemfileError, show } from './errno.js';
import type { EventHistory } from './event-history.js';

/** Something that happened to a store or a consumer: plain data, told apart by `type`. */
export interface OwnEvent {
  readonly type: string;
}

/**
 * The events that a store or an adapter records of its own, and what they come to. The state is
 * plain data too: it is kept as JSON in checkpoints.
 */
export interface EventDefinition<Event extends OwnEvent = OwnEvent, State = unknown> {
  /** Whose they are; a store uses its own name. */
  readonly name: string;
  /** The shapes that the events have had. Whoever changes what `evolve` does adds a version too. */
  readonly history: EventHistory<Event>;
  /** Before the first event. */
  readonly initial: State;
  /** The state after an event. Pure: it reads its arguments only, and changes neither. */
  evolve(state: State, event: Event): State;
  /**
   * What is left when another process goes on with the journal, once there have been events; all of
   * it by default. Pure, as `evolve`.
   */
  reopened?(state: State): State;
}

/** The events of a definition in one memfile; see {@link EventDefinition}. */
export interface OwnEvents<Event extends OwnEvent = OwnEvent, State = unknown> {
  /** After the last event; read it, do not change it. */
  readonly state: State;
  /**
   * Records an event, of which the journal gets a copy. Nothing happens once the memfile is taken
   * down.
   * @throws MemfileError EINVAL when it is no plain data, and whatever `evolve` throws; nothing is
   * recorded then.
   */
  record(event: Event): void;
  /**
   * The state after the event at `position`.
   * @throws MemfileError EINVAL when the journal has no such position, ESTALE when it has forgotten it.
   */
  at(position: number): State;
}

/**
 * Declares events of one's own.
 *
 * @example
 * type Turned = { readonly type: 'turned'; readonly on: boolean };
 * const lamp = defineEvents({
 *   name: 'lamp',
 *   history: EventHistory.first<Turned>(),
 *   initial: { on: false },
 *   evolve: (_state, { on }) => ({ on }),
 * });
 * memfile.declare(lamp).record({ type: 'turned', on: true });
 *
 * @throws MemfileError EINVAL when it has no name.
 */
export function defineEvents<Event extends OwnEvent, State>(
  definition: EventDefinition<Event, State>,
): EventDefinition<Event, State> {
  const { name } = definition;
  if (typeof name === 'string' && name !== '') return definition;
  throw new MemfileError('EINVAL', 'defineEvents', `needs a name, got ${show(name)}`);
}
