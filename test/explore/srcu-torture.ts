import { SrcuDomain, type SrcuIndex } from '../../core/index.js';

interface Shared {
  /** 0 while readers can find it, 1 when it was replaced, one more with every grace period. */
  age: number;
}

/**
 * What rcutorture does: an updater replaces a shared object and waits for grace periods; a reader
 * that holds an object older than one of them at the end of its section has seen it freed.
 */
export class SrcuTorture {
  readonly domain: SrcuDomain;
  tooOld = 0;
  readonly #sections: { readonly index: SrcuIndex; readonly object: Shared }[] = [];
  readonly #replaced: Shared[] = [];
  #current: Shared = { age: 0 };

  constructor(domain: SrcuDomain) {
    this.domain = domain;
  }

  enter(reader: number): void {
    this.#sections[reader] = { index: this.domain.readLock(), object: this.#current };
  }

  leave(reader: number): void {
    const { index, object } = this.#sections[reader]!;
    if (object.age > 1) this.tooOld++;
    this.domain.readUnlock(index);
  }

  async replace(): Promise<void> {
    const old = this.#current;
    this.#current = { age: 0 };
    old.age = 1;
    this.#replaced.push(old);
    const replaced = [...this.#replaced];
    await this.domain.synchronize();
    for (const object of replaced) object.age++;
  }
}

export function tortured(domain: SrcuDomain = new SrcuDomain('torture')): SrcuTorture {
  return new SrcuTorture(domain);
}
