import type { PageRange } from '../../core/index.js';

/** Runs every promise that has settled, and what follows from it. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

export function overlap(a: PageRange, b: PageRange): boolean {
  return a.start < b.end && b.start < a.end;
}

/** One of them, whatever the number. */
export function pick<T>(from: readonly T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from[which % from.length];
}

/** Takes one of them out, whatever the number. */
export function take<T>(from: T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from.splice(which % from.length, 1)[0];
}

/** Every list with one item less. */
export function oneLess<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.map((_, left) => items.filter((_, i) => i !== left));
}
