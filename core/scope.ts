import { instanceCachingFactory, type ClassProvider, type DependencyContainer } from 'tsyringe';
import type { Token } from './container.js';
import { within } from './deadline.js';
import { MemfileError, messageOf } from './errno.js';
import { Clock } from './ports.js';

const NOTHING_FAILED: Promise<unknown[]> = Promise.resolve([]);

/** Something with an end: what `using` and `await using` take. */
export type Part = Disposable | AsyncDisposable;

/**
 * A part of an application with a lifetime of its own: a container, and whatever was made in it.
 *
 * A memfile is one; a VM in it, with its own disks and counters, is a child of that. Taking a scope
 * down takes its children first, then its own parts, the newest first, each after the one before
 * is over, or has had its time. One failure does not stop the rest.
 */
export class Scope implements AsyncDisposable {
  /** For people: it is in the message when the scope cannot be taken down. */
  readonly name: string;
  /** What it does not have is looked for in its parent's. A `Scope` resolves to this one. */
  readonly container: DependencyContainer;
  readonly #deadlineMs: number;
  readonly #onDisposed: () => void;
  readonly #parts = new Set<Part>();
  readonly #children = new Set<Scope>();
  #disposal: Promise<unknown[]> | undefined;

  /** @internal */
  constructor(
    name: string,
    container: DependencyContainer,
    deadlineMs: number,
    onDisposed: () => void = () => {},
  ) {
    this.name = name;
    this.container = container;
    this.#deadlineMs = deadlineMs;
    this.#onDisposed = onDisposed;
    container.register(Scope as unknown as Token<Scope>, { useValue: this });
  }

  /** Whether teardown has begun. */
  get disposed(): boolean {
    return this.#disposal !== undefined;
  }

  /**
   * Takes a part down with this scope. A part that the application disposes of by itself may be
   * owned all the same, if being disposed of twice does it no harm.
   * @throws MemfileError EBADF after teardown began; EINVAL for what cannot be disposed of.
   */
  own<T extends Part>(part: T): T {
    this.#refuseDisposed('own');
    if (!isPart(part)) {
      const why = `needs [Symbol.asyncDispose] or [Symbol.dispose], got ${typeof part}`;
      throw new MemfileError('EINVAL', 'own', why);
    }
    this.#parts.add(part);
    return part;
  }

  /**
   * Makes a class resolvable here and in child scopes: one instance, made when it is first asked
   * for, from this scope's container whoever asks, and owned if it can be disposed of.
   *
   * A tsyringe singleton that a child is the first to ask for gets the child's parts, and outlives
   * them; this one does not.
   * @param token what it resolves for; the class itself by default.
   */
  provide<T extends object, A extends unknown[]>(
    made: new (...parts: A) => T,
    token: Token<T> = made as unknown as Token<T>,
  ): this {
    this.#refuseDisposed('provide');
    const itself: Token<T> = Symbol(made.name);
    this.container.register(itself, { useClass: made as ClassProvider<T>['useClass'] });
    const make = instanceCachingFactory(() => {
      const part = this.container.resolve(itself);
      return isPart(part) ? this.own(part) : part;
    });
    this.container.register(token, { useFactory: make });
    return this;
  }

  /** A child: its container falls back to this one's, and it goes when this one goes, or before. */
  createScope(name: string): Scope {
    this.#refuseDisposed('createScope');
    const child: Scope = new Scope(
      name,
      this.container.createChildContainer(),
      this.#deadlineMs,
      () => this.#children.delete(child),
    );
    this.#children.add(child);
    return child;
  }

  /** Takes it down; rejects with an AggregateError of all that failed. Twice is once. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures = await this.takeDown();
    if (failures.length > 0) {
      const what = `teardown of "${this.name}": ${failures.map(messageOf).join('; ')}`;
      throw new AggregateError(failures, what);
    }
  }

  /** @internal Nothing to take down. */
  get empty(): boolean {
    return this.#children.size === 0 && this.#parts.size === 0;
  }

  /** @internal Answers what failed; a part that is not over by its deadline is given up. */
  takeDown(): Promise<unknown[]> {
    if (this.#disposal !== undefined) return this.#disposal;
    if (this.empty) {
      this.#disposal = NOTHING_FAILED;
      this.#onDisposed();
      return this.#disposal;
    }
    // Before the first part hears of it: whoever asks again from there gets this very promise.
    let settle!: (failures: Promise<unknown[]>) => void;
    this.#disposal = new Promise((resolve) => (settle = resolve));
    settle(this.#dispose());
    return this.#disposal;
  }

  async #dispose(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const child of [...this.#children].reverse()) failures.push(...(await child.takeDown()));
    const clock = this.container.resolve(Clock as unknown as Token<Clock>);
    for (const part of [...this.#parts].reverse()) {
      const what = part.constructor?.name ?? 'a part';
      try {
        await within(clock, this.#deadlineMs, what, () => dispose(part));
      } catch (error) {
        failures.push(error);
      }
    }
    this.#parts.clear();
    this.#onDisposed();
    return failures;
  }

  #refuseDisposed(syscall: string): void {
    if (!this.disposed) return;
    throw new MemfileError('EBADF', syscall, `scope "${this.name}" is being taken down`);
  }
}

async function dispose(part: Part): Promise<void> {
  if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
  else part[Symbol.dispose]();
}

function isPart(value: unknown): value is Part {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return Symbol.asyncDispose in value || Symbol.dispose in value;
}
