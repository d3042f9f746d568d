import type { Journal, RecordLevel } from '../../../core/index.js';

/** What a world is made of. */
export interface WorldOptions {
  /** The pages of its files in the beginning; 12 by default. */
  readonly pages?: number | undefined;
  /** The options of the store for every file. */
  readonly fileOptions?: object | undefined;
  readonly journal?: Journal | undefined;
  /** What is recorded beside the state; nothing by default. */
  readonly record?: RecordLevel | undefined;
  /** Also follows what pages show. */
  readonly contents?: boolean | undefined;
  /** Lets nobody fail: what everybody is told must not change. */
  readonly harmless?: boolean | undefined;
}
