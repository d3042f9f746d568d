import type { Operation } from './operation.js';
import type { Clock } from './ports.js';
import { quietly } from './notifier-subject.js';
import { Section } from './section.js';

/** A reader section that holds an operation up for longer than was thought reasonable. */
export interface StallReport {
  /** 'invalidate [0, 8) of "vm"' */
  readonly section: string;
  /** The consumer whose section it is. */
  readonly consumer: string;
  /** The operation that waits. */
  readonly operation: string;
  /** How long the operation has waited, in milliseconds. */
  readonly ageMs: number;
  /** What of this framework the section waits for or has started; empty when it is all its own. */
  readonly waitingFor: readonly string[];
}

export interface StallOptions {
  readonly stallAfterMs: number;
  readonly onStall: (report: StallReport) => void;
}

/** Reports, once, every section that an operation still waits for after `stallAfterMs`. */
export function watchForStall(
  clock: Clock,
  { stallAfterMs, onStall }: StallOptions,
): (operation: Operation) => () => void {
  return (operation) => {
    const since = clock.now();
    return clock.after(stallAfterMs, () => {
      const ageMs = clock.now() - since;
      for (const section of operation.sections) {
        if (section instanceof Section) quietly(() => onStall(stallReport(section, ageMs)));
      }
    });
  };
}

function stallReport(section: Section, ageMs: number): StallReport {
  const unsettled = section.started.filter((node) => node.settled !== true);
  const waitingFor = new Set([...section.waitsFor(), ...unsettled].map((node) => node.describe()));
  return {
    section: section.describe(),
    consumer: section.owner.name,
    operation: section.operation.describe(),
    ageMs,
    waitingFor: [...waitingFor],
  };
}

/** One line for a log. */
export function formatStall(report: StallReport): string {
  const waiting =
    report.waitingFor.length > 0 ? `, waiting for ${report.waitingFor.join(', ')}` : '';
  return (
    `${report.operation} has waited ${Math.round(report.ageMs)} ms ` +
    `for ${report.section}${waiting}`
  );
}
