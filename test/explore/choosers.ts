import type { Chance } from './chance.js';

/** Decides who goes next, whenever more than one could. */
export interface Chooser {
  /** @param actors who could go; threads keep their number, and everything else gets a new one. */
  choose(actors: readonly number[]): number;
}

/** Goes through all schedules, depth first, by running each from the start. */
export class Enumerator implements Chooser {
  readonly #path: number[] = [];
  readonly #widths: number[] = [];
  #depth = 0;

  choose(actors: readonly number[]): number {
    const depth = this.#depth++;
    this.#widths[depth] = actors.length;
    return (this.#path[depth] ??= 0);
  }

  /** Goes on to the next schedule; false when there is none. */
  next(): boolean {
    const path = this.#path;
    path.length = this.#depth;
    this.#depth = 0;
    for (let last = path.pop(); last !== undefined; last = path.pop()) {
      if (last + 1 < this.#widths[path.length]!) {
        path.push(last + 1);
        return true;
      }
    }
    return false;
  }
}

/** The choices of a schedule that is known; after them, the first. */
export class Fixed implements Chooser {
  readonly #choices: readonly number[];
  #at = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  choose(actors: readonly number[]): number {
    return Math.min(this.#choices[this.#at++] ?? 0, actors.length - 1);
  }
}

/** Anybody, with equal chance; `weight` is how many schedules this one stands for. */
export class Uniform implements Chooser {
  readonly #chance: Chance;
  weight = 1;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  choose(actors: readonly number[]): number {
    this.weight *= actors.length;
    return this.#chance.below(actors.length);
  }
}

/**
 * Probabilistic concurrency testing (Burckhardt and others, 2010): everybody has a priority, the
 * highest goes, and at a few moments whoever would go falls to the bottom. Finds a bug that needs
 * `d` orderings far more often than equal chance does.
 */
export class Pct implements Chooser {
  readonly #chance: Chance;
  readonly #priorities = new Map<number, number>();
  readonly #changes: readonly number[];
  #step = 0;
  #lowest = 0;

  /** @param length about how many choices there are. */
  constructor(chance: Chance, length: number, changes = 2) {
    this.#chance = chance;
    this.#changes = Array.from({ length: changes }, () => chance.below(length));
  }

  choose(actors: readonly number[]): number {
    const fall = this.#changes.includes(this.#step++);
    const first = this.#highest(actors);
    if (!fall) return first;
    this.#priorities.set(actors[first]!, --this.#lowest);
    return this.#highest(actors);
  }

  #highest(actors: readonly number[]): number {
    let best = 0;
    let highest = -Infinity;
    for (let i = 0; i < actors.length; i++) {
      const actor = actors[i]!;
      let priority = this.#priorities.get(actor);
      if (priority === undefined) this.#priorities.set(actor, (priority = this.#chance.below(1e9)));
      if (priority <= highest) continue;
      best = i;
      highest = priority;
    }
    return best;
  }
}
