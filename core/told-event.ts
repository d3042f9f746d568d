import type { Ballot } from './ballot.js';
import type { Conversion } from './capabilities.js';
import { MemfileError } from './errno.js';
import type { NotifierCallback, Reason } from './event.js';
import type { NotifiedFile, NotifierEvent } from './notifier.js';
import type { Running } from './operation.js';
import type { PageRange } from './page-range.js';
import type { SectionOwner } from './section.js';

/** What only some events have. */
export interface EventDetail {
  readonly conversion?: Conversion | undefined;
  readonly kept?: readonly PageRange[] | undefined;
  /** With `prepare`: who agrees; with `rollback`, who did. */
  readonly ballot?: Ballot | undefined;
}

const NO_DETAIL: EventDetail = {};

/** What an event needs of the file that it is about. */
export interface EventHost {
  readonly file: NotifiedFile;
  /** Keeps the reader section open in which the event is told now; false when it is not. */
  hold(event: ToldEvent, promise: PromiseLike<unknown>): boolean;
  consumerFailed(event: ToldEvent, owner: SectionOwner, range: PageRange, error: unknown): void;
}

/** What console.log of Node asks for; elsewhere nobody does. */
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

type WaitUntil = (promise: PromiseLike<unknown>) => void;

/** One event that consumers are told of: what each of them is handed. */
export class ToldEvent implements NotifierEvent {
  readonly type: NotifierCallback;
  readonly position: number;
  readonly reason: Reason;
  /** @internal */
  readonly operation: Running;
  /** @internal The position of what began it; observers that joined since are not concerned. */
  readonly begun: number;
  // Private to the compiler alone: a constructor of `#` fields is too long to be inlined.
  private readonly detail: EventDetail;
  private readonly host: EventHost;
  #waitUntil: WaitUntil | undefined;

  constructor(
    host: EventHost,
    operation: Running,
    type: NotifierCallback,
    reason: Reason,
    position: number,
    begun: number = position,
    detail: EventDetail = NO_DETAIL,
  ) {
    this.type = type;
    this.position = position;
    this.reason = reason;
    this.operation = operation;
    this.begun = begun;
    this.detail = detail;
    this.host = host;
  }

  get kept(): readonly PageRange[] | undefined {
    return this.detail.kept;
  }

  get conversion(): Conversion | undefined {
    return this.detail.conversion;
  }

  /** @internal */
  get ballot(): Ballot | undefined {
    return this.detail.ballot;
  }

  get file(): NotifiedFile {
    return this.host.file;
  }

  /** For whoever prints it: what consumers are told, and the name of the file. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { type, position, reason, file, kept, conversion } = this;
    const told = { type, position, reason, file: file.name };
    return { ...told, ...(kept && { kept }), ...(conversion && { conversion }) };
  }

  [INSPECT](): object {
    return this.toJSON();
  }

  /** The same event for a consumer of whose pages some stayed. */
  keeping(kept: readonly PageRange[]): ToldEvent {
    const { operation, type, reason, position, begun, conversion } = this;
    return new ToldEvent(this.host, operation, type, reason, position, begun, {
      conversion,
      kept,
    });
  }

  /** The event that undoes this one, for those who had agreed. */
  undoing(position: number): ToldEvent {
    const { operation, reason } = this;
    const detail = this.detail;
    return new ToldEvent(this.host, operation, 'rollback', reason, position, position, detail);
  }

  /** @internal */
  failed(owner: SectionOwner, range: PageRange, error: unknown): void {
    this.host.consumerFailed(this, owner, range, error);
  }

  /** Bound, so that it can be taken out of the event: `({ waitUntil }) => …`. */
  get waitUntil(): WaitUntil {
    return (this.#waitUntil ??= (promise) => {
      if (this.host.hold(this, promise)) return;
      throw new MemfileError(
        'EINVAL',
        'waitUntil',
        'the synchronous part of the callback is over, or this is an observer behind pipe(); ' +
          'call it before the first await, or return the promise',
      );
    });
  }
}
