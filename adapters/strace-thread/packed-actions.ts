import type { TraceAction } from '../strace/index.js';

/** What is said of an action that is mostly numbers, and where its space is a number too. */
type Spoken = Extract<TraceAction, { readonly type: 'create' | 'memslot' }>;
export type Other = Omit<Spoken, 'space'> & { readonly space?: number };

/** Batches of actions, as they go from one thread to another. */
export interface PackedActions {
  /** `WIDTH` numbers for each. */
  readonly rows: Float64Array;
  /** How many actions each batch has. */
  readonly batches: readonly number[];
  /** Those that are not all numbers, in order. */
  readonly others: readonly Other[];
}

/** The first number says what it is. */
export const WIDTH = 7;
export const KIND = {
  other: 0,
  resize: 1,
  allocate: 2,
  punch: 3,
  map: 4,
  unmap: 5,
  drop: 6,
  remove: 7,
  release: 8,
  destroy: 9,
} as const;

/** Collects batches of actions. */
export class ActionPacker {
  #rows = new Float64Array(1024 * WIDTH);
  #length = 0;
  #batches: number[] = [];
  #others: Other[] = [];

  get empty(): boolean {
    return this.#batches.length === 0;
  }

  add(batch: readonly TraceAction[]): void {
    this.#batches.push(batch.length);
    for (const action of batch) this.#add(action);
  }

  take(): PackedActions {
    const rows = this.#rows.slice(0, this.#length);
    const taken = { rows, batches: this.#batches, others: this.#others };
    this.#length = 0;
    this.#batches = [];
    this.#others = [];
    return taken;
  }

  #add(action: TraceAction): void {
    switch (action.type) {
      case 'resize':
        return this.#row(KIND.resize, action.file, action.bytes);
      case 'allocate': {
        const { file, offset, length, keepSize } = action;
        return this.#row(KIND.allocate, file, offset, length, keepSize ? 1 : 0);
      }
      case 'punch':
        return this.#row(KIND.punch, action.file, action.offset, action.length);
      case 'map': {
        const { mapping, space, file, address, length, offset } = action;
        return this.#row(KIND.map, mapping, space.id, address, length, file, offset);
      }
      case 'unmap': {
        const { mapping, space, address, length, gone } = action;
        return this.#row(KIND.unmap, mapping, space.id, address, length, gone ? 1 : 0);
      }
      case 'drop': {
        const { mapping, space, address, length } = action;
        return this.#row(KIND.drop, mapping, space.id, address, length);
      }
      case 'remove': {
        const { file, mapping, offset, length } = action;
        return this.#row(KIND.remove, file, mapping, offset, length);
      }
      case 'release':
        return this.#row(KIND.release, action.file);
      case 'destroy':
        return this.#row(KIND.destroy, action.vm);
      case 'create':
        this.#others.push(action);
        return this.#row(KIND.other);
      case 'memslot':
        this.#others.push({ ...action, space: action.space.id });
        return this.#row(KIND.other);
    }
  }

  #row(kind: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): void {
    if (this.#length === this.#rows.length) {
      const larger = new Float64Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    const rows = this.#rows;
    const at = this.#length;
    rows[at] = kind;
    rows[at + 1] = a;
    rows[at + 2] = b;
    rows[at + 3] = c;
    rows[at + 4] = d;
    rows[at + 5] = e;
    rows[at + 6] = f;
    this.#length = at + WIDTH;
  }
}
