import { Observable, Subscriber, Subscription, type Observer } from 'rxjs';
import type { Notification } from './event.js';
import type { Registration } from './registration.js';

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
 * loop's hands, so that nothing more than the operations under way is ever waiting in it.
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
    this.#endOn(this.#signal, subscription, observer);
    const registered = this.#register(cancel.signal, (registration) => {
      const { snapshot, position } = registration;
      const told = registration.follow(observer, { type: 'snapshot', ranges: snapshot, position });
      if (registration.active) subscription.add(told);
      else told.unsubscribe();
    });
    registered.then(undefined, (error: unknown) => {
      if (!cancel.signal.aborted) observer.error?.(error);
    });
    return subscription;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Notification, void, undefined> {
    const items: { readonly notification: Notification; readonly release: () => void }[] = [];
    let over = false;
    let failure: { readonly error: unknown } | undefined;
    let wake = (): void => {};
    const subscription = this.subscribe({
      next(notification) {
        let release = (): void => {};
        if (notification.type !== 'snapshot') {
          notification.waitUntil(new Promise<void>((resolve) => (release = resolve)));
        }
        items.push({ notification, release });
        wake();
      },
      error(error) {
        failure = { error };
        wake();
      },
      complete() {
        over = true;
        wake();
      },
    });
    try {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) {
          try {
            yield item.notification;
          } finally {
            item.release();
          }
        } else if (failure !== undefined) throw failure.error;
        else if (over) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      subscription.unsubscribe();
      for (const item of items) item.release();
    }
  }

  /** The stream completes when the signal that it was made with fires. */
  #endOn(
    signal: AbortSignal | undefined,
    subscription: Subscription,
    observer: Partial<Observer<Notification>>,
  ): void {
    if (signal === undefined) return;
    const end = (): void => {
      subscription.unsubscribe();
      observer.complete?.();
    };
    if (signal.aborted) {
      end();
      return;
    }
    signal.addEventListener('abort', end);
    subscription.add(() => signal.removeEventListener('abort', end));
  }
}
