import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { SEED } from '../kit/seed.js';

const PROGRAMS = 300;
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** The laws, core and shmem as one script that puts `laws` into its global scope. */
async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL('laws-entry.ts', import.meta.url)),
        formats: ['iife'],
        name: 'laws',
      },
    },
  });
  const [{ output }] = result as [Rolldown.RolldownOutput];
  return output[0].code;
}

describe('core and plugins/shmem in a browser bundle', () => {
  let script = '';

  beforeAll(async () => {
    script = await bundle();
  }, 60_000);

  it('keep the laws without any Node global', async () => {
    // What a browser and Node both have, and nothing else: no process, Buffer, require, global.
    const { AbortController, AbortSignal, clearTimeout, performance, setTimeout, structuredClone } =
      globalThis;
    const context = vm.createContext({
      AbortController,
      AbortSignal,
      clearTimeout,
      performance,
      setTimeout,
      structuredClone,
    });
    vm.runInContext(`${script}\nglobalThis.laws = laws;`, context);
    const answer = (await vm.runInContext(`laws.runLaws(${SEED}, ${PROGRAMS})`, context)) as string;
    expect(JSON.parse(answer)).toEqual({ programs: PROGRAMS, findings: [] });
  }, 60_000);

  it.skipIf(chromium === undefined)('keep the laws in Chromium', { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'memfile-browser-'));
    try {
      const page = join(folder, 'page.html');
      writeFileSync(
        page,
        `<!doctype html><title>laws</title><pre id="out">running</pre><script>${script.replaceAll('</', '<\\/')}
        laws.runLaws(${SEED}, ${PROGRAMS}).then(
          (answer) => (document.getElementById('out').textContent = 'RESULT' + answer + 'END'),
          (error) => (document.getElementById('out').textContent = 'RESULT' + error.stack + 'END'),
        );</script>`,
      );
      const dom = execFileSync(
        chromium!,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          `--user-data-dir=${join(folder, 'profile')}`,
          '--virtual-time-budget=60000',
          '--dump-dom',
          `file://${page}`,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 100_000 },
      );
      const answer = /<pre id="out">RESULT(.*?)END<\/pre>/s.exec(dom)?.[1] ?? dom;
      expect(JSON.parse(answer)).toEqual({ programs: PROGRAMS, findings: [] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
