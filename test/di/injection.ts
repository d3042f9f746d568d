import 'reflect-metadata';
import { container as globalContainer, type InjectionToken } from 'tsyringe';
import { createMemfile, FILES, JOURNAL, type Memfile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { LedgerByToken } from './tokens.js';
import { LedgerByType } from './types.js';

/** Injects in both ways and says what came of it: the same under vitest and compiled by tsc. */
export async function report(say: (line: string) => void): Promise<void> {
  await using first = createMemfile({ plugins: [shmem()] });
  await using second = createMemfile({ plugins: [shmem()] });
  first.createFile('shmem', { size: 4 });
  await inject('first', first, say);
  await inject('second', second, say);
  const leaked = [FILES, JOURNAL, LedgerByToken, LedgerByType].filter((token) =>
    globalContainer.isRegistered(token as InjectionToken),
  );
  say(`leaked into the global container: ${leaked.length}`);
}

async function inject(name: string, memfile: Memfile, say: (line: string) => void): Promise<void> {
  const byToken = memfile.container.resolve(LedgerByToken);
  const byType = memfile.container.resolve(LedgerByType);
  for (const ledger of [byToken, byType, byType.other]) {
    const own =
      Object.is(ledger.files, memfile.files) && Object.is(ledger.journal, memfile.journal);
    say(`${name}, ${ledger.constructor.name}: ${ledger.summary()}, its own parts: ${own}`);
  }
}
