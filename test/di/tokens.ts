import 'reflect-metadata';
import { inject, injectable } from 'tsyringe';
import { FILES, JOURNAL, type Journal, type MemoryFiles } from '../../core/index.js';

/** Injected by explicit tokens: works with any build tool, since no types have to be emitted. */
@injectable()
export class LedgerByToken {
  readonly files: MemoryFiles;
  readonly journal: Journal;

  constructor(@inject(FILES) files: MemoryFiles, @inject(JOURNAL) journal: Journal) {
    this.files = files;
    this.journal = journal;
  }

  summary(): string {
    return `${this.files.size} files, ${this.journal.position} events`;
  }
}
