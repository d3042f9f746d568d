import { replay, type Recorded } from '../../core/index.js';
import { JournalModel, type JournalViolation } from '../../test/model/index.js';
import type { SqliteJournal } from '../sqlite/index.js';
import { EXIT } from './exit.js';
import { withJournal, type JournalFlags } from './journal-file.js';

export interface CheckFlags extends JournalFlags {
  readonly json?: true;
}

/** What `memfile check` answers, as `--json` prints it. */
export interface CheckReport {
  readonly journal: string;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Operations that have begun and not ended: in flight, or cut off by a crash. */
  readonly open: number;
  readonly violations: readonly JournalViolation[];
  readonly violationCount: number;
  /** The events that led to the first violation, that one included. */
  readonly ledTo: readonly Recorded[];
  /** With --salvage: what comes after the last position. */
  readonly damage: string | null;
}

/** How many events are shown before a violation. */
const LED_TO = 12;

/** Checks all laws over a journal, by a model that shares no code with the core. */
export function check(path: string, flags: CheckFlags): Promise<number> {
  const use = (journal: SqliteJournal): number => {
    const report = checkJournal(path, journal);
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : describe(report),
    );
    return report.violationCount > 0 ? EXIT.violated : EXIT.ok;
  };
  return withJournal(path, flags, use, true);
}

function checkJournal(path: string, journal: SqliteJournal): CheckReport {
  const { first: firstPosition, position: lastPosition } = journal;
  const before = firstPosition > 1 ? replay(journal, firstPosition - 1).toJSON() : undefined;
  const model = new JournalModel(before);
  for (const event of journal.read(firstPosition, lastPosition + 1)) model.see(event);
  const [violation] = model.violations;
  return {
    journal: path,
    firstPosition,
    lastPosition,
    open: model.open,
    violations: model.violations,
    violationCount: model.count,
    ledTo: violation === undefined ? [] : leadingTo(journal, violation.position),
    damage: journal.damage?.message ?? null,
  };
}

/** The events of the same file, up to the one at `position`. */
function leadingTo(journal: SqliteJournal, position: number): Recorded[] {
  const events = [...journal.read(Math.max(1, position - 1000), position + 1)];
  const last = events.at(-1);
  const file = last !== undefined && 'file' in last ? last.file : undefined;
  return events.filter((event) => 'file' in event && event.file === file).slice(-LED_TO);
}

function describe(report: CheckReport): string {
  const { journal, firstPosition, lastPosition, open, violations, violationCount, ledTo } = report;
  const lines = [`${journal}: events ${firstPosition} to ${lastPosition}`];
  if (open > 0) lines.push(`${open} operations have not ended`);
  for (const { law, name, position, detail } of violations.slice(0, 20)) {
    lines.push(`law ${law} (${name}) is broken at position ${position}: ${detail}`);
  }
  if (ledTo.length > 0) {
    lines.push('what led to the first:', ...ledTo.map((event) => `  ${JSON.stringify(event)}`));
  }
  lines.push(violationCount === 0 ? 'the laws hold' : `${violationCount} violations of the laws`);
  return `${lines.join('\n')}\n`;
}
