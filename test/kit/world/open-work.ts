import { take } from '../small.js';
import type { Call, Work } from './world-consumer.js';

/** What callbacks left behind and nobody has settled yet. */
export class OpenWork {
  readonly #work: Work[] = [];
  /** Every callback that there was. */
  readonly calls = new Set<Call>();

  get size(): number {
    return this.#work.length;
  }

  begin(call: Call): Promise<void> {
    this.goesOn(call, 1);
    return new Promise((resolve, reject) => this.#work.push({ call, resolve, reject }));
  }

  /** Takes one piece out, whatever the number; the caller settles it. */
  end(which: number): Work | undefined {
    const work = take(this.#work, which);
    if (work !== undefined) this.goesOn(work.call, -1);
    return work;
  }

  goesOn(call: Call, by: 1 | -1): void {
    this.calls.add(call);
    call.working += by;
    call.consumer.working += by;
  }
}
