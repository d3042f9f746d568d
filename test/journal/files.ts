import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Paths of files that are not there yet, in a folder that is gone after the tests of the file. */
export function temporaryFiles(): (name?: string) => string {
  let folder = '';
  let files = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'memfile-journal-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name = 'journal') => join(folder, `${++files}-${name}`);
}
