import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import { MemoryJournal } from '../../core/index.js';
import { describeJournal } from '../kit/index.js';

// Every journal of the project; one call each.
describeJournal('MemoryJournal', () => new MemoryJournal());

const folder = mkdtempSync(join(tmpdir(), 'memfile-conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let journals = 0;

describeJournal(
  'SqliteJournal',
  () => SqliteJournal.open(join(folder, `${++journals}.memfile`), { durability: 'memory' }),
  { reopen: (closed) => SqliteJournal.open((closed as SqliteJournal).path) },
);
