import type { Observable, Observer } from 'rxjs';
import { MemfileError } from './errno.js';
import type { Notification } from './event.js';
import type { Participant } from './notifier.js';
import type { Pass } from './pass.js';
import { Subject, Subscriber, Subscription } from './rxjs.js';
import { isThenable } from './waits-for.js';

/** An observer, with its callbacks resolved once. */
interface Slot extends Participant {
  readonly observer: Partial<Observer<Notification>>;
  /** Behind `pipe()`: sees what happens and cannot take part. */
  readonly watcher: boolean;
  /** The position of the journal when it joined; what began before is not its business. */
  readonly joined: number;
  readonly subscription: Subscription;
  open: boolean;
}

type ObserverOrNext = Partial<Observer<Notification>> | ((value: Notification) => void);

/** What of a `Subject` is kept; a registration's `closed` is a promise, not a boolean. */
interface SubjectBase extends Observable<Notification> {
  next(value: Notification): void;
  error(error: unknown): void;
  complete(): void;
  unsubscribe(): void;
  asObservable(): Observable<Notification>;
}

/**
 * An RxJS `Subject` whose observers take part.
 *
 * A plain `Subject` gives subscribers opposite orders under re-entrancy, turns a throwing one into
 * an uncaught exception that the sender never sees, and knows nothing of work that goes on behind
 * a promise. Here each observer is called on its own: what it throws or rejects with is this
 * consumer's failure, and a promise that it returns keeps the reader section open. An observer
 * behind `pipe()` is a watcher: it sees the same notifications and can hurt nobody.
 */
export abstract class NotifierSubject extends (Subject as unknown as new () => SubjectBase) {
  #slots: readonly Slot[] = NOBODY;
  #completed = false;

  /** The event being told to this registration now. */
  protected abstract readonly pass: Pass | undefined;
  /** The journal's position now. */
  protected abstract readonly now: number;
  protected abstract observerFailed(error: unknown): void;
  protected abstract observersChanged(): void;

  get observed(): boolean {
    return this.#slots.length > 0;
  }

  /** @internal The only observer, if there is one and it takes part. */
  get participant(): Participant | undefined {
    const [slot] = this.#slots;
    return slot === undefined || this.#slots.length > 1 || slot.watcher ? undefined : slot;
  }

  override subscribe(observerOrNext?: ObserverOrNext | null): Subscription {
    const observer =
      typeof observerOrNext === 'function' ? { next: observerOrNext } : (observerOrNext ?? {});
    const subscription = new Subscription();
    if (this.#completed) {
      subscription.unsubscribe();
      this.#guard(() => observer.complete?.());
      return subscription;
    }
    const watcher = observer instanceof Subscriber;
    const { now: joined } = this;
    const next = observer.next ?? undefined;
    const slot: Slot = { observer, next, watcher, joined, subscription, open: true };
    this.#slots = [...this.#slots, slot];
    this.observersChanged();
    subscription.add(() => {
      slot.open = false;
      this.#slots = this.#slots.filter((other) => other !== slot);
      this.observersChanged();
    });
    if (watcher) observer.add(subscription);
    return subscription;
  }

  /** @internal First the snapshot, in the same step as the registration; then what is told. */
  follow(observer: Partial<Observer<Notification>>, snapshot: Notification): Subscription {
    this.#guard(() => observer.next?.(snapshot));
    return this.subscribe(observer);
  }

  /** Hands a notification to every observer. Only the memory file has any to hand out. */
  override next(notification: Notification): void {
    const { pass } = this;
    if (pass === undefined) {
      throw new MemfileError('EPERM', 'next', 'notifications come from the memory file alone');
    }
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (!slot.open || slot.joined >= pass.event.begun || !pass.concerns(slot)) continue;
      if (slot.watcher) pass.aside(() => this.#guard(() => slot.observer.next?.(notification)));
      else this.#tell(slot, notification, pass);
    }
  }

  /** A registration ends with `complete`; errors are a consumer's own. */
  override error(error: unknown): void {
    this.observerFailed(error);
  }

  /** The file was closed: nothing more will come. */
  override complete(): void {
    this.#completed = true;
    for (const { subscription, observer } of this.#slots) {
      subscription.unsubscribe();
      this.#guard(() => observer.complete?.());
    }
  }

  override unsubscribe(): void {
    for (const { subscription } of this.#slots) subscription.unsubscribe();
  }

  #tell(slot: Slot, notification: Notification, pass: Pass): void {
    try {
      // An observer's `next` may be an async function whatever its type says.
      const result: unknown = slot.next?.call(slot.observer, notification);
      if (result !== undefined) pass.holdIfThenable(result);
    } catch (error) {
      pass.fail(error);
    }
  }

  #guard(call: () => unknown): void {
    try {
      const result = call();
      if (isThenable(result)) result.then(undefined, (error) => this.observerFailed(error));
    } catch (error) {
      this.observerFailed(error);
    }
  }
}

/** Calls an observer that hears of an end; when it fails at that, there is nobody left to tell. */
export function quietly(call: () => unknown): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, () => {});
  } catch {
    // As above.
  }
}

/** Most registrations are never subscribed to. */
const NOBODY: readonly Slot[] = [];
