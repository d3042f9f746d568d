import { readFileSync, writeFileSync } from 'node:fs';
import { load, printCounterexample, replaySaved, save } from '../../test/explore/index.js';
import { EXIT } from './exit.js';
import {
  explorePrograms,
  programByName,
  programNames,
  STORM,
  type ExploreReport,
  type ProgramReport,
} from './explore-programs.js';
import { Progress } from './progress.js';
import { StopSignals } from './stop-signals.js';

export interface ExploreFlags {
  readonly program?: string;
  readonly seed: number;
  readonly runs: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly json?: true;
  readonly list?: true;
  readonly save?: string;
  readonly replay?: string;
}

/** Explores, or replays, and reports on it; answers the exit status. */
export async function exploreCommand(flags: ExploreFlags): Promise<number> {
  const { program, seed, runs, time, json, list } = flags;
  if (list === true) {
    process.stdout.write(`${(await programNames()).join('\n')}\n`);
    return EXIT.ok;
  }
  if (flags.replay !== undefined) return replayFile(flags.replay);
  if (program !== undefined && program !== STORM && (await programByName(program)) === undefined) {
    return bad(`no program "${program}"; --list has their names`);
  }
  using signals = new StopSignals();
  let now = '';
  const progress = new Progress(() => now);
  const report = await explorePrograms(program, {
    seed,
    runs,
    timeMs: time,
    onProgress: (schedules, name) => {
      now = `${schedules} schedules, ${name}`;
      progress.tick();
      return signals.code === undefined;
    },
  });
  progress.done();
  const counterexample = report.programs.find(({ wrong }) => wrong !== undefined)?.counterexample;
  if (flags.save !== undefined && counterexample !== undefined) {
    try {
      writeFileSync(flags.save, save(counterexample));
    } catch (error) {
      return bad(`cannot write ${flags.save}: ${(error as Error).message}`);
    }
  }
  process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : print(report));
  if (!report.ok) return EXIT.violated;
  return signals.code ?? EXIT.ok;
}

async function replayFile(path: string): Promise<number> {
  try {
    const saved = load(readFileSync(path, 'utf8'));
    const program = await programByName(saved.program);
    if (program === undefined) return bad(`${path}: no program "${saved.program}"`);
    const again = await replaySaved(program, saved);
    if (again.same) {
      process.stdout.write(printCounterexample(again));
      return EXIT.violated;
    }
    process.stdout.write('it does not come about any more\n');
    return EXIT.ok;
  } catch (error) {
    return bad(`cannot replay ${path}: ${(error as Error).message}`);
  }
}

function bad(message: string): number {
  process.stderr.write(`memfile: ${message}\n`);
  return EXIT.badInput;
}

/** The report for people. */
function print({ programs, schedules, ms, schedulesPerSecond, seed }: ExploreReport): string {
  const lines = programs.map(describe);
  const seconds = (ms / 1000).toFixed(1);
  lines.push(
    `${schedules} schedules in ${seconds} s, ${schedulesPerSecond} a second, seed ${seed}`,
  );
  for (const { wrong, counterexample, program, seed } of programs) {
    if (wrong === undefined) continue;
    lines.push('', `${program}: ${wrong}`);
    if (counterexample !== undefined) lines.push('', printCounterexample(counterexample).trimEnd());
    lines.push('', `again: memfile explore --program ${program} --seed ${seed}`);
  }
  if (programs.every(({ wrong }) => wrong === undefined)) lines.push('no law was broken');
  return `${lines.join('\n')}\n`;
}

function describe({
  program,
  verdict,
  storms,
  schedules,
  seen,
  exhaustive,
}: ProgramReport): string {
  if (storms !== undefined) return `${program}: ${storms} programs, ${schedules} schedules`;
  const all = exhaustive ? 'all' : 'of more';
  return `${program}: ${verdict}; in ${seen} of ${schedules} interleavings, ${all}`;
}
