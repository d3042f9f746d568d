import type { Journal, RecordLevel, StallReport } from '../../../core/index.js';

/** What `createFile` needs beside a size and a name; a function of the file's number from 0. */
export type FileOptions = Readonly<Record<string, unknown>> | ((file: number) => object);

export function optionsOf(options: FileOptions | undefined, file: number): object {
  return typeof options === 'function' ? options(file) : (options ?? {});
}

/** In milliseconds. */
export const SECOND = 1000;

/** What a world is made of. */
export interface WorldOptions {
  /** The pages of its files in the beginning; 12 by default. */
  readonly pages?: number | undefined;
  /** The options of the store for its files. */
  readonly fileOptions?: FileOptions | undefined;
  readonly journal?: Journal | undefined;
  /** What is recorded beside the state; nothing by default. */
  readonly record?: RecordLevel | undefined;
  /** Also follows what pages show. */
  readonly contents?: boolean | undefined;
  /** Told of what holds an operation up for a second by the clock of the world. */
  readonly onStall?: ((report: StallReport) => void) | undefined;
  /** Lets nobody fail: what everybody is told must not change. */
  readonly harmless?: boolean | undefined;
}
