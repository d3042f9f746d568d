import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import { createMemfile, replay } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { fixture, memfile } from '../cli/memfile.js';
import { JournalModel } from '../model/index.js';
import { temporaryFiles } from './files.js';

/** How often a run is killed; `npm run torture:journal` does it 200 times. */
const KILLS = Number(process.env['MEMFILE_KILLS'] ?? 4);
/** So many runs, killed one after the other, write to the same journal. */
const LIVES = 8;

const path = temporaryFiles();
const main = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));
const trace = fixture('qemu-kvm-postcopy-shmem-src.strace.gz');

/** Runs until so many positions were acknowledged, and kills it; answers the last of those. */
async function killed(journal: string, acknowledgements: number): Promise<number> {
  const args = [main, 'run', trace, '--journal', journal, '--progress', 'json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let last = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    last = (JSON.parse(line) as { readonly acknowledged: number }).acknowledged;
    if (++lines === acknowledgements) child.kill('SIGKILL');
  }
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
  return last;
}

function broken(journal: SqliteJournal): { found: readonly unknown[]; open: number } {
  const model = new JournalModel();
  for (const event of journal.read(1)) model.see(event);
  return { found: model.violations, open: model.open };
}

describe('a process that is killed', () => {
  it(
    `loses nothing that was acknowledged (${KILLS} kills)`,
    { timeout: 30_000 + KILLS * 10_000 },
    async () => {
      let file = '';
      for (let kill = 0; kill < KILLS; kill++) {
        if (kill % LIVES === 0) file = path('killed');
        // Spread over the run, by a rule: early, late, and everywhere in between.
        const acknowledged = await killed(file, 1 + ((kill * 7919) % 280));
        const reader = SqliteJournal.read(file);
        const { position } = reader;
        expect(position).toBeGreaterThanOrEqual(acknowledged);
        expect(reader.findDamage()).toBeUndefined();
        expect(broken(reader).found).toEqual([]);
        await reader.close();
      }
      const outcome = memfile('check', file, '--json');
      expect(outcome).toMatchObject({ code: 0, err: '' });
      const { lastPosition } = JSON.parse(outcome.out) as { readonly lastPosition: number };
      const journal = SqliteJournal.open(file, { expectedPosition: lastPosition });
      const again = createMemfile({ plugins: [shmem()], journal });
      const [opened] = journal.read(lastPosition + 1);
      expect(opened).toMatchObject({ type: 'open' });
      expect(broken(journal)).toEqual({ found: [], open: 0 });
      expect(replay(journal).toJSON()).toEqual(again.state.toJSON());
      expect(again.state.toJSON().registrations).toEqual([]);
      await again[Symbol.asyncDispose]();
    },
  );
});
