import type { EventType, JournalEvent } from './event.js';

type EventOf<Type extends EventType> = Extract<JournalEvent, { readonly type: Type }>;

/**
 * The shapes that one type of event has had, oldest first. Its version is their number: version 1
 * is what the first release wrote, and every `next` is one version more.
 */
export class EventHistory<E> {
  readonly #upcasters: readonly ((event: never) => unknown)[];

  private constructor(upcasters: readonly ((event: never) => unknown)[]) {
    this.#upcasters = upcasters;
  }

  /** Version 1. */
  static first<E>(): EventHistory<E> {
    return new EventHistory<E>([]);
  }

  /** One version more: `upcast` makes the new shape of the old one; it reads nothing else. */
  next<F>(upcast: (event: E) => F): EventHistory<F> {
    return new EventHistory<F>([...this.#upcasters, upcast]);
  }

  get version(): number {
    return this.#upcasters.length + 1;
  }

  /** What an event of `version` is today. */
  upcast(event: unknown, version: number): E {
    let shape = event;
    for (const upcast of this.#upcasters.slice(version - 1)) shape = upcast(shape as never);
    return shape as E;
  }
}

/** Every type of event, and the shapes it has had. A type that is missing here does not compile. */
export const EVENT_HISTORY: { readonly [Type in EventType]: EventHistory<EventOf<Type>> } = {
  fallocate: EventHistory.first(),
  invalidate: EventHistory.first(),
  invalidateEnd: EventHistory.first(),
  prepare: EventHistory.first(),
  rollback: EventHistory.first(),
  kept: EventHistory.first(),
  quarantine: EventHistory.first(),
  lookup: EventHistory.first(),
  put: EventHistory.first(),
  left: EventHistory.first(),
  unregister: EventHistory.first(),
  createFile: EventHistory.first(),
  resize: EventHistory.first(),
  seal: EventHistory.first(),
  register: EventHistory.first(),
  failure: EventHistory.first(),
  replay: EventHistory.first(),
  evict: EventHistory.first(),
  close: EventHistory.first(),
  convert: EventHistory.first(),
  usable: EventHistory.first(),
  error: EventHistory.first(),
  poison: EventHistory.first(),
  plugin: EventHistory.first(),
  open: EventHistory.first(),
  delivery: EventHistory.first(),
  answer: EventHistory.first(),
  grace: EventHistory.first(),
  time: EventHistory.first(),
};
