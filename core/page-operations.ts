import { arrive } from './arrival.js';
import { depart } from './departure.js';
import { MemfileError } from './errno.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import { Operation } from './operation.js';
import { refusesFallocate, refusesPunch } from './refusals.js';

/** The two operations that there are most of; each is one object, with its arguments in it. */

export class Fallocate extends Operation {
  readonly #file: FileCore;
  readonly #reason: Reason;
  readonly #keepSize: boolean;

  constructor(file: FileCore, from: number, to: number, reason: Reason, keepSize: boolean) {
    super(file, 'fallocate', from, to);
    this.#file = file;
    this.#reason = reason;
    this.#keepSize = keepSize;
  }

  override begin(): void {
    const file = this.#file;
    const reason = this.#reason;
    const { from, syscall } = this;
    const { pages, name } = file.state;
    // A fault has nothing to find past the end of the file, wherever that is by now.
    const to = reason === 'fault' && pages < this.to ? pages : this.to;
    if (from >= to) {
      throw new MemfileError('EFAULT', syscall, `page ${from} is past the end of "${name}"`);
    }
    const refusal = refusesFallocate(file, to);
    if (refusal !== undefined) throw refusal;
    arrive(file, this, from, to, reason, !this.#keepSize, file.finish);
  }
}

export class PunchHole extends Operation {
  readonly #file: FileCore;
  readonly #reason: Reason;

  constructor(file: FileCore, from: number, to: number, reason: Reason) {
    super(file, 'punchHole', from, to);
    this.#file = file;
    this.#reason = reason;
  }

  override begin(): void {
    const refusal = refusesPunch(this.#file);
    if (refusal !== undefined) throw refusal;
    depart(this.#file, this, this.from, this.to, this.#reason, this.#file.finish);
  }
}
