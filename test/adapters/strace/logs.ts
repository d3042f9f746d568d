import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readTrace, type Trace, type TraceAction } from '../../../adapters/strace/index.js';

/** A directory that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'memfile-strace-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function logFile(content: string | Buffer, name = 'run.strace'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

/** Strings in a list are lines of a log; each gets its line end. */
export function traceOf(lines: readonly string[]): Trace {
  return readTrace(logFile(lines.map((line) => `${line}\n`).join('')));
}

export async function collect(trace: Trace): Promise<TraceAction[]> {
  const actions: TraceAction[] = [];
  for await (const batch of trace) actions.push(...batch);
  return actions;
}

/** The actions of a log without their address spaces, each as its type and its other members. */
export async function actionsOf(lines: readonly string[]): Promise<unknown[]> {
  return plain(await collect(traceOf(lines)));
}

export function plain(actions: readonly TraceAction[]): unknown[] {
  return actions.map((action) =>
    'space' in action ? { ...action, space: action.space.id } : action,
  );
}
