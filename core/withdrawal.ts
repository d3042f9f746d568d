import type { Conversion, Side } from './capabilities.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Running, Step } from './operation.js';
import type { PageRange } from './page-range.js';
import { ToldEvent, type EventDetail } from './told-event.js';
import type { OpenWithdrawal, Registration } from './registration.js';
import { tell, type Audience } from './audience.js';

/** What of the pages told a consumer still has at the end; undefined when nobody has any. */
export type Keeps = ((consumer: Registration) => readonly PageRange[]) | undefined;

/** What happens when every consumer has let go; an error that it throws ends nothing early. */
type Between = (withdrawal: Withdrawal) => Keeps;

/**
 * Makes consumers let go of pages: announces that they leave, waits until every consumer told has
 * let go, does what has to be done, and tells the end in reverse. `then` comes when all is over.
 */
export class Withdrawal implements OpenWithdrawal {
  readonly file: FileCore;
  readonly of: Running;
  readonly start: number;
  readonly end: number;
  readonly reason: Reason;
  /** Consumers of this side alone are not told: they never had the pages. */
  readonly unless: Side | undefined;
  readonly #detail: EventDetail | undefined;
  readonly #between: Between;
  readonly #ended: (() => void) | undefined;
  readonly #then: Step<Running>;
  #begun = 0;
  #audience: Audience<Registration> | undefined;

  constructor(
    file: FileCore,
    of: Running,
    start: number,
    end: number,
    reason: Reason,
    between: Between,
    then: Step<Running>,
    conversion?: Conversion,
    ended?: () => void,
  ) {
    this.file = file;
    this.of = of;
    this.start = start;
    this.end = end;
    this.reason = reason;
    this.unless = conversion?.to;
    this.#detail = conversion && { conversion };
    this.#between = between;
    this.#ended = ended;
    this.#then = then;
  }

  get operation(): number {
    return this.of.id;
  }

  /** All of it, from the announcement on. */
  begin(): void {
    const { file, of, start, end, reason, unless } = this;
    const begun = file.recordBegin(of, start, end, reason);
    const audience = file.notifiers.concerned(start, end);
    this.#open(begun, audience);
    file.tell(audience, of, 'invalidate', reason, begun, begun, start, end, unless, this.#detail);
    this.#wait();
  }

  /** Those whom it concerns have been told, at `begun`, and some of them take their time. */
  wait(begun: number, audience: Audience<Registration>): void {
    this.#open(begun, audience);
    this.#wait();
  }

  /** As above; all have let go, and some of the pages stayed. */
  finish(begun: number, audience: Audience<Registration>, keeps: Keeps): void {
    this.#open(begun, audience);
    this.#finish(keeps);
  }

  #open(begun: number, audience: Audience<Registration>): void {
    this.#begun = begun;
    this.#audience = audience;
    this.file.open.push(this);
  }

  #wait(): void {
    this.of.whenLetGo('every consumer has let go', () => this.#finish(this.#between(this)));
  }

  #finish(keeps: Keeps): void {
    const { file, of, start, end, reason } = this;
    const ended = file.recordEnd(of, start, end, reason);
    if (keeps === undefined) this.#tellEnd(ended);
    else this.#tellWhatStayed(ended, keeps);
    file.open.splice(file.open.indexOf(this), 1);
    this.#ended?.();
    of.whenLetGo('every consumer knows the end', this.#then);
  }

  #tellEnd(ended: number): void {
    const { file, of, start, end, reason, unless } = this;
    const audience = this.#audience!;
    const begun = this.#begun;
    const detail = this.#detail;
    file.tell(audience, of, 'invalidateEnd', reason, ended, begun, start, end, unless, detail);
  }

  #tellWhatStayed(ended: number, keeps: NonNullable<Keeps>): void {
    const { file, of, start, end, reason, unless } = this;
    const event = new ToldEvent(
      file,
      of,
      'invalidateEnd',
      reason,
      ended,
      this.#begun,
      this.#detail,
    );
    for (const consumer of this.#audience!.members) {
      if (consumer.access === unless) continue;
      const kept = keeps(consumer);
      tell(file.engine, consumer, kept.length === 0 ? event : event.keeping(kept), start, end);
    }
  }
}
