import type { TraceAction } from './actions.js';

/** A VM, while a descriptor of it is open. Its vCPUs are closed with it, as a rule. */
export interface Vm {
  readonly id: number;
  references: number;
}

/** The VMs alive, counted by descriptors. */
export class Vms {
  readonly #emit: (action: TraceAction) => void;
  #created = 0;
  #ended = false;

  constructor(emit: (action: TraceAction) => void) {
    this.#emit = emit;
  }

  create(): Vm {
    this.#created += 1;
    return { id: this.#created, references: 0 };
  }

  hold(vm: Vm): void {
    vm.references += 1;
  }

  letGo(vm: Vm): void {
    vm.references -= 1;
    if (vm.references === 0 && !this.#ended) this.#emit({ type: 'destroy', vm: vm.id });
  }

  /** The log ends, and does not tell of the VMs that are there. */
  end(): void {
    this.#ended = true;
  }
}
