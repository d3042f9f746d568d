import { MemfileError } from './errno.js';
import type { RareEvent } from './event.js';
import type { Journal } from './journal.js';
import type { EventDefinition, OwnEvent } from './own-events.js';

/** How events of one's own stand in a journal. */
export type PluginEvent = Extract<RareEvent, { readonly type: 'plugin' }>;

/** What the events of a definition had come to after the event at `position`. */
export interface SavedOwnState {
  readonly name: string;
  readonly version: number;
  readonly position: number;
  readonly state: unknown;
}

/** What a state says of the events so far. */
interface SoFar {
  readonly position: number;
  readonly plugins: ReadonlyMap<string, unknown>;
}

interface Fold {
  readonly definition: EventDefinition;
  state: unknown;
  /** Whether there has been an event of it: before, there is nothing to keep and nothing to lose. */
  spoke: boolean;
  /** What comes after an event that is about to be recorded. */
  foreseen: { readonly event: PluginEvent; readonly state: unknown } | undefined;
}

/** What the events of declared definitions come to, and what a checkpoint has of the others. */
export class OwnStates {
  readonly #folds = new Map<string, Fold>();
  #saved: readonly SavedOwnState[];

  constructor(saved: readonly SavedOwnState[] = []) {
    this.#saved = saved;
  }

  get definitions(): EventDefinition[] {
    return [...this.#folds.values()].map(({ definition }) => definition);
  }

  /** @throws MemfileError EINVAL when it is not declared here. */
  of<Event extends OwnEvent, State>(definition: EventDefinition<Event, State>): State {
    const fold = this.#folds.get(definition.name);
    if (fold?.definition === definition) return fold.state as State;
    throw new MemfileError('EINVAL', 'stateOf', `"${definition.name}" is not declared here`);
  }

  /**
   * Folds what the journal has of it up to that state, and from now on what {@link see} is given.
   * Nothing that a checkpoint says of another version counts.
   * @throws MemfileError EEXIST when another definition has its name; ESTALE when the journal has
   * forgotten events of it; EOPNOTSUPP when a later version recorded some.
   */
  declare(definition: EventDefinition, journal: Journal, state: SoFar): void {
    const { name, history } = definition;
    const known = this.#folds.get(name);
    if (known?.definition === definition) return;
    if (known !== undefined) {
      throw new MemfileError('EEXIST', 'declare', `other events are declared as "${name}" already`);
    }
    const saved = this.#saved.find((own) => own.name === name && own.version === history.version);
    const fold: Fold = {
      definition,
      state: saved === undefined ? definition.initial : saved.state,
      spoke: saved !== undefined,
      foreseen: undefined,
    };
    const from = (saved?.position ?? 0) + 1;
    // Most have never recorded anything, and the journal may be long.
    const last = state.plugins.has(name) ? state.position : 0;
    if (from <= last && journal.first > from) {
      const why = `events of "${name}" before position ${journal.first} are forgotten`;
      throw new MemfileError('ESTALE', 'declare', why);
    }
    for (const event of journal.read(from, last + 1)) {
      if (event.type === 'open') reopen(fold);
      else if (event.type === 'plugin' && event.plugin === name) add(fold, event);
    }
    this.#folds.set(name, fold);
  }

  /**
   * Folds an event that is about to be recorded.
   * @throws whatever its definition throws, while it need not be recorded yet.
   */
  foresee(event: PluginEvent): void {
    const fold = this.#folds.get(event.plugin)!;
    fold.foreseen = { event, state: nextState(fold, event) };
  }

  see(event: PluginEvent): void {
    const fold = this.#folds.get(event.plugin);
    if (fold !== undefined) add(fold, event);
  }

  /** Another process goes on. */
  reopened(): void {
    for (const fold of this.#folds.values()) reopen(fold);
  }

  /** For a checkpoint at `position`; those that nobody declared here as the last one had them. */
  save(position: number): SavedOwnState[] {
    const others = this.#saved.filter(({ name }) => !this.#folds.has(name));
    const own = [...this.#folds].flatMap(([name, { definition, state, spoke }]) =>
      spoke ? [{ name, version: definition.history.version, position, state }] : [],
    );
    return [...others, ...own];
  }

  /** By name; undefined when nothing is declared. */
  toJSON(): Readonly<Record<string, unknown>> | undefined {
    if (this.#folds.size === 0) return undefined;
    return Object.fromEntries([...this.#folds].map(([name, { state }]) => [name, state]));
  }
}

/**
 * The state after one more event.
 * @throws MemfileError EOPNOTSUPP when a later version recorded it.
 */
function nextState(
  { definition, state }: Fold,
  { name: type, version = 1, data }: PluginEvent,
): unknown {
  const { name, history } = definition;
  if (version > history.version) {
    const why = `"${type}" of "${name}" has version ${version}, known is ${history.version}`;
    throw new MemfileError('EOPNOTSUPP', 'replay', `${why}; update what declares it`);
  }
  return definition.evolve(state, history.upcast({ ...data, type }, version));
}

function add(fold: Fold, event: PluginEvent): void {
  fold.state = fold.foreseen?.event === event ? fold.foreseen.state : nextState(fold, event);
  fold.foreseen = undefined;
  fold.spoke = true;
}

function reopen(fold: Fold): void {
  const { definition, state, spoke } = fold;
  if (spoke && definition.reopened !== undefined) fold.state = definition.reopened(state);
}
