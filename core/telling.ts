import type { Access } from './capabilities.js';
import type { Engine } from './engine.js';
import type { Pass } from './pass.js';
import type { Registration } from './registration.js';

/**
 * Tells consumers of pages `[start, end)`, each of what of them is its own, in the order of
 * registration; apart from those that have left, and those that have access to `unless` alone.
 */
export function tellOldestFirst(
  engine: Engine,
  audience: readonly Registration[],
  pass: Pass,
  start: number,
  end: number,
  unless?: Access,
): void {
  engine.pass = pass;
  for (let i = 0; i < audience.length; i++) {
    const registration = audience[i]!;
    if (registration.access !== unless) registration.tell(pass, start, end);
  }
  engine.pass = undefined;
}

/** As above, the newest registration first. */
export function tellNewestFirst(
  engine: Engine,
  audience: readonly Registration[],
  pass: Pass,
  start: number,
  end: number,
  unless?: Access,
): void {
  engine.pass = pass;
  for (let i = audience.length - 1; i >= 0; i--) {
    const registration = audience[i]!;
    if (registration.access !== unless) registration.tell(pass, start, end);
  }
  engine.pass = undefined;
}

/** Tells one consumer, unless it has left. */
export function tell(
  engine: Engine,
  registration: Registration,
  pass: Pass,
  start: number,
  end: number,
): void {
  engine.pass = pass;
  registration.tell(pass, start, end);
  engine.pass = undefined;
}
