import { printCounterexample, type Counterexample } from '../../test/explore/index.js';
import { allExhibits, visit, type NamedExhibit } from '../../test/museum/index.js';
import { EXIT } from './exit.js';
import { Progress } from './progress.js';
import { StopSignals } from './stop-signals.js';

export interface MuseumFlags {
  readonly seed: number;
  readonly runs: number;
  readonly json?: true;
}

/** What became of one exhibit, as `--json` prints it. */
export interface ExhibitReport {
  readonly name: string;
  readonly source: string;
  readonly law: number;
  /** Whether the bug was found in what was wrong, by the law that it breaks. */
  readonly found: boolean;
  /** Until the shortest counterexample was there. */
  readonly ms: number;
  /** How many schedules it took to find it. */
  readonly schedules: number;
  /** The turns of the counterexample. */
  readonly steps: number;
  /** What is broken in ours, and in how many schedules it was tried. */
  readonly ours: { readonly broken: string | undefined; readonly schedules: number };
}

/** Finds every bug again; answers the exit status. */
export async function museumCommand(
  name: string | undefined,
  { seed, runs, json }: MuseumFlags,
): Promise<number> {
  const exhibits = (await allExhibits()).filter(
    (exhibit) => name === undefined || exhibit.name === name,
  );
  if (exhibits.length === 0) {
    process.stderr.write(`memfile: no exhibit "${name}"; \`memfile museum\` lists them\n`);
    return EXIT.badInput;
  }
  using signals = new StopSignals();
  const reports: ExhibitReport[] = [];
  const progress = new Progress(() => `${reports.length} of ${exhibits.length} exhibits`);
  let text = '';
  for (const exhibit of exhibits) {
    if (signals.code !== undefined) break;
    const { report, counterexample } = await show(exhibit, seed, runs);
    reports.push(report);
    progress.tick();
    text += name === undefined ? line(report) : story(exhibit, report, counterexample);
  }
  progress.done();
  process.stdout.write(json ? `${JSON.stringify({ exhibits: reports }, null, 2)}\n` : text);
  const ok = reports.every(({ found, ours }) => found && ours.broken === undefined);
  return ok ? (signals.code ?? EXIT.ok) : EXIT.violated;
}

async function show(
  exhibit: NamedExhibit,
  seed: number,
  runs: number,
): Promise<{
  readonly report: ExhibitReport;
  readonly counterexample: Counterexample | undefined;
}> {
  const { name, source, law } = exhibit;
  const started = performance.now();
  const { faulty, ours } = await visit(exhibit, { seed, runs });
  const ms = Math.round(performance.now() - started - ours.ms);
  const { counterexample, schedules } = faulty;
  const found = counterexample?.broken.law === law;
  const steps = counterexample?.timeline.length ?? 0;
  const broken = ours.counterexample?.broken.detail;
  const own = { broken, schedules: ours.schedules };
  return { report: { name, source, law, found, ms, schedules, steps, ours: own }, counterexample };
}

function line({ name, law, found, schedules, steps, ms, ours }: ExhibitReport): string {
  const theirs = found ? `law ${law} after ${schedules} schedules, ${steps} turns` : 'NOT FOUND';
  const own = ours.broken === undefined ? '' : `; IN OURS: ${ours.broken}`;
  return `${name}: ${theirs}, ${ms} ms${own}\n`;
}

function story(
  { history, source }: NamedExhibit,
  report: ExhibitReport,
  counterexample: Counterexample | undefined,
): string {
  const { ours } = report;
  const goes = counterexample === undefined ? '' : `\n${printCounterexample(counterexample)}`;
  const own = ours.broken ?? `ours: no law broken in ${ours.schedules} schedules`;
  return `${line(report)}\n${source}\n\n${history.join('\n')}\n${goes}\n${own}\n`;
}
