import { printable } from './printable.js';

/** What was counted so far; live while the log is read, complete at its end. */
export interface TraceSummary {
  lines: number;
  /** Completed calls, failed ones included. */
  calls: number;
  /** Bytes of the file on disk, compressed ones for gzip; `bytesTotal` is 0 for a pipe. */
  bytesRead: number;
  bytesTotal: number;
  /** Calls that may matter and were not understood, by name: `recvmsg`, `ioctl KVM_RUN`. */
  unknownCalls: Map<string, number>;
  /** Every failed call, by `name ERRNO`. */
  failedCalls: Map<string, number>;
  /** Successful madvise calls by advice, with the sum of their lengths. */
  adviceCalls: Map<string, { calls: number; bytes: number }>;
  unparsedLines: number;
  /** Calls begun, of which the log does not tell the end. */
  neverResumed: number;
  /** ftruncate and fallocate calls on a descriptor that is no known memory file. */
  untracked: number;
  /** The log ends in the middle of a line or of its gzip stream. */
  truncated: boolean;
  memslotsSet: number;
  memslotsDeleted: number;
}

export function emptySummary(): TraceSummary {
  return {
    lines: 0,
    calls: 0,
    bytesRead: 0,
    bytesTotal: 0,
    unknownCalls: new Map(),
    failedCalls: new Map(),
    adviceCalls: new Map(),
    unparsedLines: 0,
    neverResumed: 0,
    untracked: 0,
    truncated: false,
    memslotsSet: 0,
    memslotsDeleted: 0,
  };
}

// A log with a new name on every line must not take memory without bound.
const NAMES = 1000;
const OTHER = 'other';

function newKey(counts: ReadonlyMap<string, unknown>, name: string): string {
  const shown = printable(name, 80);
  return counts.size < NAMES || counts.has(shown) ? shown : OTHER;
}

export function count(counts: Map<string, number>, name: string): void {
  const known = counts.get(name);
  if (known !== undefined) counts.set(name, known + 1);
  else {
    const key = newKey(counts, name);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}

export function countBytes(
  counts: Map<string, { calls: number; bytes: number }>,
  name: string,
  bytes: number,
): void {
  const known = counts.get(name);
  const key = known ? name : newKey(counts, name);
  const row = known ?? counts.get(key) ?? { calls: 0, bytes: 0 };
  row.calls += 1;
  row.bytes += bytes;
  if (!known) counts.set(key, row);
}
