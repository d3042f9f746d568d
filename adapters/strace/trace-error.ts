import { printable } from './printable.js';

/** The log cannot be read. `code` is a system error code, or one of the three that are ours. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly code: string;

  constructor(code: 'EMPTY' | 'NOT_STRACE' | 'CORRUPT' | (string & {}), message: string) {
    super(message);
    this.code = code;
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory, not a strace log',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is no directory',
};

/** A file system error, told with the path; its code passes through. */
export function systemTraceError(path: string, error: unknown): TraceError {
  const code = systemCode(error) ?? 'EIO';
  const cause = CAUSES[code] ?? (error instanceof Error ? error.message : String(error));
  return new TraceError(code, `cannot read ${printable(path)}: ${cause} (${code})`);
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
