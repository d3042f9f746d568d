import fc from 'fast-check';
import type { Access } from '../../core/index.js';
import type { Habit } from './device.js';

/** Numbers of pages are in units: one page, or a quarter of a large mapping. */
export type Action =
  | {
      readonly do: 'start' | 'run' | 'prefault';
      readonly vm: number;
      readonly gfn: number;
      readonly private: boolean;
      readonly write: boolean;
    }
  /** Takes some steps of a fault that is under way. */
  | { readonly do: 'step'; readonly which: number; readonly steps: number }
  | {
      readonly do: 'punch' | 'fallocate';
      readonly file: number;
      readonly start: number;
      readonly pages: number;
    }
  | { readonly do: 'slow'; readonly file: number; readonly start: number; readonly pages: number }
  /** Lets a slow consumer let go; lets a suspended change or operation go on. */
  | { readonly do: 'settle' | 'resume'; readonly which: number }
  /** Lets everything but faults go on to its end. */
  | { readonly do: 'flow' }
  | {
      readonly do: 'slot';
      readonly vm: number;
      readonly slot: number;
      readonly gfn: number;
      readonly pages: number;
      readonly offset: number;
      readonly file: number;
      readonly over: 'mapping' | 'file' | 'both';
      readonly log: boolean;
    }
  | { readonly do: 'delete' | 'dirty'; readonly vm: number; readonly slot: number }
  | { readonly do: 'move'; readonly vm: number; readonly slot: number; readonly gfn: number }
  | {
      readonly do: 'attributes';
      readonly vm: number;
      readonly gfn: number;
      readonly pages: number;
      readonly private: boolean;
    }
  | {
      readonly do: 'convert';
      readonly file: number;
      readonly start: number;
      readonly pages: number;
      readonly private: boolean;
    }
  | { readonly do: 'poison' | 'pin'; readonly file: number; readonly start: number }
  /** The store has no room for the next conversion. */
  | { readonly do: 'full' }
  | {
      readonly do: 'device';
      readonly file: number;
      readonly start: number;
      readonly pages: number;
      readonly access: Access;
      readonly habits: readonly Habit[];
    }
  /** A pin is put, a device leaves. */
  | { readonly do: 'unpin' | 'detach'; readonly which: number }
  | { readonly do: 'close'; readonly file: number };

export interface Interleaving {
  /** Units of 128 pages, so that large mappings come up. */
  readonly large: boolean;
  /** VM 0 begins with a slot over the first file, whose pages are there. */
  readonly actions: readonly Action[];
}

export const VMS = 2;
export const FILES = 2;
/** Units in each file. */
export const UNITS = 8;
export const SLOTS = 3;

const vm = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(1) },
);
const file = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(1) },
);
const unit = fc.nat(UNITS - 1);
const gfn = fc.nat(8);
const pages = fc.integer({ min: 1, max: 4 });
const slot = fc.nat(SLOTS - 1);
const which = fc.nat(5);
const flag = fc.boolean();
/** A fault is over after 8. */
const steps = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 8 }));
const rarely = fc.oneof(
  { weight: 3, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const one = <T extends string>(...names: readonly T[]) => fc.constantFrom(...names);
const weigh = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const action: fc.Arbitrary<Action> = fc.oneof(
  weigh(5, fc.record({ do: fc.constant('start' as const), vm, gfn, private: rarely, write: flag })),
  weigh(9, fc.record({ do: fc.constant('step' as const), which, steps })),
  weigh(1, fc.record({ do: one('run', 'prefault'), vm, gfn, private: rarely, write: flag })),
  weigh(4, fc.record({ do: one('punch', 'punch', 'fallocate'), file, start: unit, pages })),
  weigh(2, fc.record({ do: fc.constant('slow' as const), file, start: unit, pages })),
  weigh(5, fc.record({ do: one('settle', 'resume'), which })),
  weigh(5, fc.constant({ do: 'flow' as const })),
  weigh(
    2,
    fc.record({
      do: fc.constant('slot' as const),
      vm,
      slot,
      gfn,
      pages,
      offset: unit,
      file,
      over: one('mapping', 'mapping', 'file', 'both'),
      log: rarely,
    }),
  ),
  weigh(2, fc.record({ do: one('delete', 'delete', 'dirty'), vm, slot })),
  weigh(1, fc.record({ do: fc.constant('move' as const), vm, slot, gfn })),
  weigh(3, fc.record({ do: fc.constant('attributes' as const), vm, gfn, pages, private: flag })),
  weigh(
    5,
    fc.record({
      do: fc.constant('convert' as const),
      file,
      start: unit,
      pages,
      private: flag,
    }),
  ),
  weigh(1, fc.record({ do: one('poison', 'pin', 'pin'), file, start: unit })),
  weigh(1, fc.record({ do: one('unpin', 'unpin', 'detach'), which })),
  weigh(0.2 * 5, fc.constant({ do: 'full' as const })),
  weigh(
    2,
    fc.record({
      do: fc.constant('device' as const),
      file,
      start: unit,
      pages: fc.oneof(pages, fc.constant(UNITS)),
      access: one('both', 'private', 'shared'),
      habits: fc
        .array(one('ok', 'ok', 'refuses', 'slow', 'slow', 'fails to undo', 'fails to let go'), {
          maxLength: 4,
        })
        .map((habits): Habit[] => [...habits, 'ok']),
    }),
  ),
  weigh(0.2 * 5, fc.record({ do: fc.constant('close' as const), file })),
);

export const interleaving: fc.Arbitrary<Interleaving> = fc.record({
  large: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  actions: fc.array(action, { minLength: 3, maxLength: 36 }),
});
