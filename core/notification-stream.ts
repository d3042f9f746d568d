import type { Observer } from 'rxjs';
import type { Notification } from './event.js';
import { NotificationIterator } from './notification-iterator.js';
import { quietly } from './notifier-subject.js';
import type { Registration } from './registration.js';
import { Observable, Subscriber, Subscription } from './rxjs.js';

type ObserverOrNext = Partial<Observer<Notification>> | ((value: Notification) => void);

/** Registers; calls `started` in the step in which it takes its place. */
type Register = (
  cancel: AbortSignal,
  started: (registration: Registration) => void,
) => Promise<Registration>;

/**
 * `notifications$` of a memory file: each subscription is a registration of its own.
 *
 * An observer attached directly takes part as one of a registration does; behind `pipe()` it is a
 * watcher. As an async iterable it takes part too: a section stays open while its item is in the
 * loop's hands, so that nothing more than the operations under way is ever waiting in it. It
 * completes when the file is closed, the memfile torn down, or its signal fires.
 */
export class NotificationStream
  extends Observable<Notification>
  implements AsyncIterable<Notification>
{
  readonly #signal: AbortSignal | undefined;
  readonly #register: Register;

  /** @internal */
  constructor(signal: AbortSignal | undefined, register: Register) {
    super();
    this.#signal = signal;
    this.#register = register;
  }

  override subscribe(observerOrNext?: ObserverOrNext | null): Subscription {
    const observer =
      typeof observerOrNext === 'function' ? { next: observerOrNext } : (observerOrNext ?? {});
    const cancel = new AbortController();
    const subscription = new Subscription(() => cancel.abort());
    if (observer instanceof Subscriber) observer.add(subscription);
    /** Ends the subscription, and tells the observer why, once. */
    const end = (tell: () => unknown): void => {
      if (subscription.closed) return;
      subscription.unsubscribe();
      quietly(tell);
    };
    const complete = (): void => end(() => observer.complete?.());
    const signal = this.#signal;
    if (signal?.aborted === true) {
      complete();
      return subscription;
    }
    signal?.addEventListener('abort', complete);
    subscription.add(() => signal?.removeEventListener('abort', complete));
    const registered = this.#register(cancel.signal, (registration) => {
      const { snapshot, position } = registration;
      const next = (told: Notification): unknown => observer.next?.(told);
      const participant = observer instanceof Subscriber ? observer : { next };
      const told = registration.follow(participant, {
        type: 'snapshot',
        ranges: snapshot,
        position,
      });
      subscription.add(told);
      void registration.closed.then(complete);
    });
    registered.then(undefined, (error: unknown) => {
      if (observer.error === undefined && !subscription.closed) throw error;
      end(() => observer.error?.(error));
    });
    return subscription;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Notification> {
    return new NotificationIterator((observer) => this.subscribe(observer));
  }
}
