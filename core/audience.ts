import type { Access } from './capabilities.js';
import type { Engine } from './engine.js';
import type { NotifierCallback } from './event.js';
import type { Notifier, NotifierFunction, Participant } from './notifier.js';
import type { Pass } from './pass.js';
import type { SectionOwner } from './section.js';

/** A consumer as those see it who tell it. */
export interface Member extends SectionOwner {
  readonly access: Access;
  readonly notifier: Notifier;
  /** Whether RxJS observers have to be told too. */
  readonly observed: boolean;
  /** The only one of them, if there is one and it takes part. */
  readonly participant: Participant | undefined;
  callback(type: NotifierCallback): NotifierFunction | undefined;
  /** Tells it what of `[start, end)` is its own, unless it has left. */
  tell(pass: Pass, start: number, end: number): void;
  /** It has been told by calling its callback, or its observer. */
  wasTold(): void;
}

/** The callbacks of one type, or the observers in their place, and whose they are. */
interface Calls<T> {
  readonly members: readonly T[];
  readonly functions: readonly (NotifierFunction | undefined)[];
  readonly nexts: readonly Participant['next'][];
  readonly receivers: readonly object[];
}

/** Whether a member is told by calling one function. */
export function isDirect({ access, observed, participant, notifier }: Member): boolean {
  if (access !== 'both') return false;
  if (!observed) return true;
  const { fallocate, invalidate, invalidateEnd, error } = notifier;
  return participant !== undefined && !(fallocate ?? invalidate ?? invalidateEnd ?? error);
}

/** Those whom an event concerns, oldest first, as they were when it was looked up. */
export class Audience<T extends Member = Member> {
  readonly members: readonly T[];
  /** Somebody has come, left, or got an observer. */
  stale = false;
  readonly #calls: { [Type in NotifierCallback]?: Calls<T> } | undefined;

  /** @param direct whether all of them are told the same range, each by calling one function. */
  constructor(members: readonly T[], direct: boolean) {
    this.members = members;
    this.#calls = direct ? {} : undefined;
  }

  /** Tells all in the order of registration, but those that have access to `unless` alone. */
  tellOldestFirst(engine: Engine, pass: Pass, start: number, end: number, unless?: Access): void {
    engine.pass = pass;
    const calls = engine.witnessed ? undefined : this.#callsOf(pass);
    if (calls === undefined) {
      for (const member of this.members) {
        if (member.access !== unless) member.tell(pass, start, end);
      }
    } else {
      const { length } = calls.functions;
      for (let i = 0; i < length; i++) this.#call(calls, i, pass, start, end);
    }
    engine.pass = undefined;
  }

  /** As above, the newest registration first. */
  tellNewestFirst(engine: Engine, pass: Pass, start: number, end: number, unless?: Access): void {
    engine.pass = pass;
    const calls = engine.witnessed ? undefined : this.#callsOf(pass);
    if (calls === undefined) {
      for (let i = this.members.length - 1; i >= 0; i--) {
        const member = this.members[i]!;
        if (member.access !== unless) member.tell(pass, start, end);
      }
    } else {
      for (let i = calls.functions.length - 1; i >= 0; i--) this.#call(calls, i, pass, start, end);
    }
    engine.pass = undefined;
  }

  /** What `tell` does, without a look at the member: a thousand of them do not fit into a cache. */
  #call(calls: Calls<T>, i: number, pass: Pass, start: number, end: number): void {
    const member = calls.members[i]!;
    if (this.stale) {
      member.tell(pass, start, end);
      return;
    }
    pass.enter(member, start, end);
    try {
      const callback = calls.functions[i];
      const receiver = calls.receivers[i]!;
      const result =
        callback === undefined
          ? calls.nexts[i]!.call(receiver, pass.notification())
          : callback.call(receiver, start, end, pass);
      if (result !== undefined) pass.holdIfThenable(result);
    } catch (error) {
      pass.fail(error);
    }
    pass.leave();
    if (this.stale) member.wasTold();
  }

  #callsOf({ type }: Pass): Calls<T> | undefined {
    if (this.#calls === undefined || this.stale) return undefined;
    return (this.#calls[type] ??= this.#resolve(type));
  }

  /** Whoever joins makes this stale, so these observers joined before what they are told began. */
  #resolve(type: NotifierCallback): Calls<T> {
    const members: T[] = [];
    const functions: (NotifierFunction | undefined)[] = [];
    const nexts: Participant['next'][] = [];
    const receivers: object[] = [];
    for (const member of this.members) {
      const callback = member.callback(type);
      const { participant } = member;
      if (callback === undefined && participant?.next === undefined) continue;
      members.push(member);
      functions.push(callback);
      nexts.push(participant?.next);
      receivers.push(participant?.observer ?? member.notifier);
    }
    return { members, functions, nexts, receivers };
  }
}

/** Tells one consumer, unless it has left. */
export function tell(engine: Engine, member: Member, pass: Pass, start: number, end: number): void {
  engine.pass = pass;
  member.tell(pass, start, end);
  engine.pass = undefined;
}
