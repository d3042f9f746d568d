import 'reflect-metadata';
import { injectable } from 'tsyringe';
// Values, not types: what the compiler writes for the decorator refers to the classes.
import { Journal, MemoryFiles } from '../../core/index.js';
import { LedgerByToken } from './tokens.js';

/** Injected by the types of its constructor, which the compiler writes into the output. */
@injectable()
export class LedgerByType {
  readonly files: MemoryFiles;
  readonly journal: Journal;
  readonly other: LedgerByToken;

  constructor(files: MemoryFiles, journal: Journal, other: LedgerByToken) {
    this.files = files;
    this.journal = journal;
    this.other = other;
  }

  summary(): string {
    return `${this.files.size} files, ${this.journal.position} events`;
  }
}
