import type { Observer, Subscription } from 'rxjs';
import type { Notification } from './event.js';

type Result = IteratorResult<Notification, undefined>;

interface Item {
  readonly notification: Notification;
  /** Ends the reader section of the item. */
  readonly release: () => void;
}

interface Waiter {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const END: Result = { done: true, value: undefined };

/**
 * `for await` over notifications: the section of an item is open until the next one is asked for,
 * or the loop is left. Subscribes when the first item is asked for.
 */
export class NotificationIterator implements AsyncIterableIterator<Notification> {
  readonly #subscribe: (observer: Partial<Observer<Notification>>) => Subscription;
  readonly #items: Item[] = [];
  readonly #waiters: Waiter[] = [];
  #subscription: Subscription | undefined;
  #held: Item | undefined;
  #failure: { readonly error: unknown } | undefined;
  #over = false;

  constructor(subscribe: (observer: Partial<Observer<Notification>>) => Subscription) {
    this.#subscribe = subscribe;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    this.#held?.release();
    this.#held = undefined;
    this.#subscription ??= this.#subscribe({
      next: (notification) => this.#arrived(notification),
      error: (error: unknown) => {
        this.#failure = { error };
        this.#serve();
      },
      complete: () => {
        this.#over = true;
        this.#serve();
      },
    });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serve();
    });
  }

  /** Leaves: unsubscribes, lets go of everything, and ends whoever waits for an item. */
  return(): Promise<Result> {
    this.#over = true;
    this.#subscription?.unsubscribe();
    this.#held?.release();
    for (const item of this.#items.splice(0)) item.release();
    this.#serve();
    return Promise.resolve(END);
  }

  #arrived(notification: Notification): void {
    let release = (): void => {};
    if (notification.type !== 'snapshot') {
      notification.waitUntil(new Promise<void>((resolve) => (release = resolve)));
    }
    this.#items.push({ notification, release });
    this.#serve();
  }

  /** Hands out items in order; what ends the iteration comes after them. */
  #serve(): void {
    while (this.#waiters.length > 0) {
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#held?.release();
        this.#held = item;
        this.#waiters.shift()!.resolve({ done: false, value: item.notification });
      } else if (this.#failure !== undefined) this.#waiters.shift()!.reject(this.#failure.error);
      else if (this.#over) this.#waiters.shift()!.resolve(END);
      else return;
    }
  }
}
