import { evolve, MemfileState, type JournalEvent } from '../../core/index.js';
import { Fixed } from './choosers.js';
import { restrictedTo, type Program } from './program.js';
import { runSchedule } from './run-schedule.js';
import type { Counterexample } from './shrink.js';

/** The first line of a saved counterexample: what to run, and in which order. */
type Header = Pick<Counterexample, 'program' | 'seed' | 'broken' | 'threads' | 'choices'>;

/** As lines of JSON: what to run, then the journal that came of it, one event a line. */
export function save(counterexample: Counterexample): string {
  const { program, seed, broken, threads, choices, events } = counterexample;
  const header: Header = { program, seed, broken, threads, choices };
  return [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** @throws SyntaxError or TypeError for anything but what `save` wrote. */
export function load(text: string): Omit<Counterexample, 'timeline'> {
  const [first, ...lines] = text.trimEnd().split('\n');
  const header = JSON.parse(first!) as Header;
  const { program, choices, threads } = header;
  if (typeof program !== 'string' || !Array.isArray(choices) || !Array.isArray(threads)) {
    throw new TypeError('its first line names no program, threads and choices');
  }
  const events = lines.map((line) => JSON.parse(line) as JournalEvent);
  const state = new MemfileState();
  for (const event of events) evolve(state, event);
  return { ...header, events };
}

/** Runs a saved counterexample again; it has to come to the very same journal. */
export async function replaySaved(
  whole: Program,
  saved: Omit<Counterexample, 'timeline'>,
): Promise<Counterexample & { readonly same: boolean }> {
  const program = restrictedTo(whole, saved.threads);
  const run = await runSchedule(program, new Fixed(saved.choices), { reading: true });
  const { events } = run.stage.journal;
  const same =
    JSON.stringify(events) === JSON.stringify(saved.events) && run.broken?.law === saved.broken.law;
  return { ...saved, events, timeline: run.timeline, broken: run.broken ?? saved.broken, same };
}
