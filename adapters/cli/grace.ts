import type { Journal } from '../../core/index.js';
import { gracePeriods, type GracePeriod } from '../journal-questions/index.js';
import { EXIT } from './exit.js';

/** Prints the longest grace periods of a journal, and who blocked them. */
export function printGracePeriods(journal: Journal, json: boolean): number {
  for (const period of gracePeriods(journal)) {
    process.stdout.write(`${json ? JSON.stringify(period) : line(period)}\n`);
  }
  return EXIT.ok;
}

function line({ position, callback, file, operation, ms, over, blockers }: GracePeriod): string {
  const who = blockers.map(
    ({ consumer, ms }) => `${consumer} ${ms === null ? 'not yet' : `${ms.toFixed(3)} ms`}`,
  );
  const what = `${ms.toFixed(3)} ms${over ? '' : ' and not over'}`;
  return `${position}\t${what}\t${callback}\tfile ${file}\toperation ${operation}\t${who.join(', ')}`;
}
