import { LAWS } from '../model/laws.js';
import type { Counterexample } from './shrink.js';

/** A counterexample for people: who went, what it did, what came of it. */
export function printCounterexample(counterexample: Counterexample): string {
  const { broken, timeline } = counterexample;
  const width = Math.max(...timeline.map(({ actor }) => actor.length), 0);
  const lines = [`law ${broken.law} (${LAWS[broken.law]}): ${broken.detail}`];
  for (const [i, { actor, label, notes }] of timeline.entries()) {
    lines.push(`${String(i + 1).padStart(4)}  ${actor.padEnd(width)}  ${label}`);
    for (const note of notes) lines.push(`${' '.repeat(width + 10)}${note}`);
  }
  return `${lines.join('\n')}\n`;
}
