import type {
  Lease,
  Notifier,
  NotifierCallback,
  NotifierEvent,
  Registration,
} from '../../core/index.js';
import type { Script } from './script.js';

interface Held {
  readonly operation: number;
  readonly callback: NotifierCallback;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A consumer that does what a recorded one did. */
export class Puppet {
  readonly id: number;
  registration: Registration | undefined;
  readonly #script: Script;
  /** The number of the operation that is being told. */
  readonly #operation: () => number;
  /** Called in every callback, for what the recorded consumer did in it. */
  readonly #meanwhile: (puppet: Puppet) => void;
  readonly #leases = new Map<number, Lease[]>();
  #held: Held[] = [];

  constructor(
    id: number,
    script: Script,
    operation: () => number,
    meanwhile: (puppet: Puppet) => void,
  ) {
    this.id = id;
    this.#script = script;
    this.#operation = operation;
    this.#meanwhile = meanwhile;
  }

  get notifier(): Notifier {
    const tell =
      (callback: NotifierCallback) => (_start: number, _end: number, event: NotifierEvent) =>
        this.#told(callback, event);
    const told = {
      fallocate: tell('fallocate'),
      invalidate: tell('invalidate'),
      invalidateEnd: tell('invalidateEnd'),
    };
    if (!this.#script.votes(this.id)) return told;
    return { ...told, prepare: tell('prepare'), rollback: tell('rollback') };
  }

  /** Ends the work of a callback that answered late; false when there is none. */
  finish(operation: number, callback: NotifierCallback): boolean {
    const held = this.#take(operation, callback);
    held?.resolve();
    return held !== undefined;
  }

  fail(operation: number, callback: NotifierCallback, message: string): boolean {
    const held = this.#take(operation, callback);
    held?.reject(new Error(message));
    return held !== undefined;
  }

  lookUp(offset: number): void {
    const lease = this.registration!.lookup(offset);
    this.#leases.set(lease.pfn, [...(this.#leases.get(lease.pfn) ?? []), lease]);
  }

  put(pfn: number): void {
    this.#leases.get(pfn)?.pop()?.put();
  }

  #told(callback: NotifierCallback, event: NotifierEvent): void {
    const operation = this.#operation();
    const failure = this.#script.failure(operation, this.id, callback);
    if (this.#script.waits(operation, this.id, callback)) {
      const promise = new Promise<void>((resolve, reject) => {
        this.#held.push({ operation, callback, resolve, reject });
      });
      event.waitUntil(promise);
      this.#meanwhile(this);
      return;
    }
    this.#meanwhile(this);
    if (failure !== undefined) throw new Error(failure);
  }

  #take(operation: number, callback: NotifierCallback): Held | undefined {
    const at = this.#held.findIndex(
      (held) => held.operation === operation && held.callback === callback,
    );
    return at < 0 ? undefined : this.#held.splice(at, 1)[0];
  }
}
