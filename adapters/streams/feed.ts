import {
  from,
  Subscription,
  takeWhile,
  type Observable,
  type ObservableInput,
  type Subscriber,
} from 'rxjs';
import { MemfileError, type Notification } from '../../core/index.js';
import type { Buffered, BufferOptions, BufferPolicy, Gap } from './buffered.js';
import { Merging } from './merging.js';

/** One subscription to a bounded buffer: what waits, and whose turn it is. */
export class Feed<R> {
  readonly #source: Observable<Notification>;
  readonly #capacity: number;
  readonly #policy: BufferPolicy;
  readonly #consume: (item: Buffered) => ObservableInput<R>;
  readonly #subscriber: Subscriber<R>;
  /** What waits; at most the last of it is a merger in the making. */
  readonly #waiting: (Notification | Merging)[] = [];
  #gap: { missed: number; readonly from: number; to: number } | undefined;
  #upstream = new Subscription();
  /** Subscribed anew, and the snapshot has not come yet. */
  #resyncing = false;
  #busy = false;
  #pumping = false;
  /** The source has completed. */
  #over = false;

  constructor(
    source: Observable<Notification>,
    { capacity, policy }: BufferOptions,
    consume: (item: Buffered) => ObservableInput<R>,
    subscriber: Subscriber<R>,
  ) {
    this.#source = source;
    this.#capacity = capacity;
    this.#policy = policy;
    this.#consume = consume;
    this.#subscriber = subscriber;
  }

  follow(): void {
    const upstream = new Subscription();
    this.#upstream = upstream;
    this.#subscriber.add(upstream);
    // Behind an operator the source sees a watcher, and stops even amid a burst.
    const watched = this.#source.pipe(takeWhile(() => !upstream.closed));
    upstream.add(
      watched.subscribe({
        next: (notification) => this.#arrive(notification),
        error: (error) => this.#fail(error),
        complete: () => upstream.closed || this.#end(),
      }),
    );
  }

  #arrive(notification: Notification): void {
    if (this.#resyncing && notification.type !== 'snapshot') {
      const why = `the source, subscribed to anew, starts with '${notification.type}'`;
      const wanted = "policy 'drop' needs one that starts with a snapshot";
      this.#subscriber.error(new MemfileError('EINVAL', 'boundedBuffer', `${why}; ${wanted}`));
      return;
    }
    this.#resyncing = false;
    const { position } = notification;
    if (this.#gap !== undefined) {
      this.#gap.missed++;
      this.#gap.to = position;
    } else if (this.#waiting.length < this.#capacity) {
      this.#waiting.push(notification);
      this.#pump();
    } else this.#overflow(notification);
  }

  #overflow(notification: Notification): void {
    const { position } = notification;
    switch (this.#policy) {
      case 'merge':
        this.#waiting.push(merge(this.#waiting.pop()!, notification));
        return;
      case 'drop':
        this.#gap = { missed: 1, from: position, to: position };
        return;
      case 'fail': {
        const why = `at position ${position} the consumer lags by ${this.#capacity} items and more`;
        this.#subscriber.error(new MemfileError('ENOBUFS', 'boundedBuffer', why));
      }
    }
  }

  #fail(error: unknown): void {
    // The file was closed before there could be another snapshot.
    const closed = this.#resyncing && error instanceof MemfileError && error.code === 'EBADF';
    if (closed) this.#end();
    else this.#subscriber.error(error);
  }

  #end(): void {
    this.#over = true;
    this.#pump();
  }

  /** A loop and no recursion: a consumer may be done at once, many times over. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#busy && !this.#subscriber.closed) {
      const item = this.#take();
      if (item !== undefined) this.#hand(item);
      else if (this.#over) this.#subscriber.complete();
      else break;
    }
    this.#pumping = false;
  }

  #take(): Buffered | undefined {
    const item = this.#waiting.shift();
    if (item !== undefined) return item instanceof Merging ? item.item() : item;
    if (this.#gap === undefined) return undefined;
    const mark: Gap = { type: 'gap', ...this.#gap };
    this.#gap = undefined;
    if (!this.#over) {
      this.#resyncing = true;
      this.#upstream.unsubscribe();
      this.follow();
    }
    return mark;
  }

  #hand(item: Buffered): void {
    this.#busy = true;
    try {
      const work = from(this.#consume(item)).subscribe({
        next: (value) => this.#subscriber.next(value),
        error: (error) => this.#subscriber.error(error),
        complete: () => {
          this.#busy = false;
          this.#pump();
        },
      });
      this.#subscriber.add(work);
    } catch (error) {
      this.#subscriber.error(error);
    }
  }
}

function merge(last: Notification | Merging, notification: Notification): Merging {
  let merging = last;
  if (!(merging instanceof Merging)) {
    const first = merging;
    merging = new Merging();
    merging.absorb(first);
  }
  merging.absorb(notification);
  return merging;
}
