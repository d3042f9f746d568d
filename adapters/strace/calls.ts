import { LOST, UNFINISHED, parseCompletion, type Call, type ParsedLine } from './parse-line.js';

interface Begun {
  readonly name: string;
  readonly args: string;
}

/** What the joiner makes of a line: a call that took effect, a thread's end, or neither. */
export type Joined =
  | Call
  | Extract<ParsedLine, { type: 'exit' }>
  | { readonly type: 'nothing' }
  | { readonly type: 'unparsed' };

const NOTHING: Joined = { type: 'nothing' };
const UNPARSED: Joined = { type: 'unparsed' };

/** Pairs `<unfinished ...>` with `<... resumed>` per thread: a call counts when it completes. */
export class CallJoiner {
  readonly #begun = new Map<number, Begun>();
  #lost = 0;

  /** Calls begun so far, of which the log will not tell the end. */
  get neverResumed(): number {
    return this.#lost;
  }

  /** Calls that wait for their end, oldest first. */
  begun(): IterableIterator<[number, Begun]> {
    return this.#begun.entries();
  }

  join(line: ParsedLine): Joined {
    switch (line.type) {
      case 'call':
        if (this.#begun.size > 0) this.#lose(line.tid);
        return line;
      case 'unfinished':
        this.#lose(line.tid);
        this.#begun.set(line.tid, { name: line.name, args: line.args });
        return NOTHING;
      case 'resumed':
        return this.#resume(line.tid, line.name, line.rest);
      case 'exit':
        this.#lose(line.tid);
        return line;
      case 'signal':
      case 'remark':
        return NOTHING;
    }
  }

  /** Nothing follows: what still waits is lost. */
  end(): void {
    this.#lost += this.#begun.size;
    this.#begun.clear();
  }

  #lose(tid: number): void {
    if (this.#begun.delete(tid)) this.#lost += 1;
  }

  #resume(tid: number, name: string, rest: string): Joined {
    const begun = this.#begun.get(tid);
    if (!begun || begun.name !== name) return UNPARSED;
    if (rest.endsWith(UNFINISHED)) {
      const args = begun.args + rest.slice(0, -UNFINISHED.length);
      this.#begun.set(tid, { name, args });
      return NOTHING;
    }
    if (rest.endsWith(LOST)) return NOTHING;
    this.#begun.delete(tid);
    const call = parseCompletion(tid, name, begun.args + rest);
    if (!call) this.#lost += 1;
    return call ?? UNPARSED;
  }
}
