import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { main, memfile } from './memfile.js';

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'memfile-explore-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('memfile explore', () => {
  it('lists its programs with their verdicts', () => {
    const { code, out } = memfile('explore', '--list');
    expect(code).toBe(0);
    expect(out).toContain('law-04-lookup-after-the-end (never)\n');
    expect(out).toContain('storm (from a seed)\n');
    expect(out.split('\n').length).toBeGreaterThan(30);
  });

  it('runs one program through all its interleavings', () => {
    const { code, out, err } = memfile('explore', '--program', 'law-04-lookup-after-the-end');
    expect([code, err]).toEqual([0, '']);
    const [first, , last] = out.split('\n');
    expect(first).toBe('law-04-lookup-after-the-end: never; in 0 of 21 interleavings, all');
    expect(last).toBe('no law was broken');
  });

  it('answers the same from the same seed', () => {
    const run = () => {
      const { code, out } = memfile(
        'explore',
        '--program=storm',
        '--seed=5',
        '--runs=200',
        '--json',
      );
      const report = JSON.parse(out) as {
        readonly programs: readonly { readonly ms: number }[];
        readonly schedules: number;
        readonly ok: boolean;
      };
      return [code, report.schedules, report.ok, report.programs.map((p) => ({ ...p, ms: 0 }))];
    };
    const once = run();
    expect(once.slice(0, 3)).toEqual([0, expect.any(Number), true]);
    expect(run()).toEqual(once);
  });

  it('ends by its time', () => {
    const { code, out } = memfile('explore', '--program', 'storm', '--time', '300ms', '--json');
    expect(code).toBe(0);
    expect((JSON.parse(out) as { readonly schedules: number }).schedules).toBeGreaterThan(0);
  });

  it.each([
    [['--program', 'nothing'], 'no program "nothing"'],
    [['--time', 'soon'], 'seconds'],
    [['--seed', '-1'], 'whole number'],
    [['--replay', join(folder, 'missing.jsonl')], 'cannot replay'],
  ])('refuses %j', (args, why) => {
    const { code, out, err } = memfile('explore', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(why);
  });

  it('says so when a saved counterexample does not come about any more', () => {
    const path = join(folder, 'saved.jsonl');
    const broken = { law: 4, detail: 'a page is looked up after its punch has ended' };
    const threads = [{ name: 'owner', statements: ['punch [0, 1)'] }];
    const header = {
      program: 'law-04-lookup-after-the-end',
      seed: 1,
      broken,
      threads,
      choices: [],
    };
    writeFileSync(path, `${JSON.stringify(header)}\n`);
    const { code, out } = memfile('explore', '--replay', path);
    expect([code, out]).toEqual([0, 'it does not come about any more\n']);
    writeFileSync(path, `${JSON.stringify({ ...header, program: 'no such' })}\n`);
    expect(memfile('explore', '--replay', path).code).toBe(2);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'reports what it has when %s comes',
    async (signal, code) => {
      const child = spawn(process.execPath, [main, 'explore', '--program=storm', '--time=60s']);
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.once('data', () => child.kill(signal));
      const status = await new Promise((resolve) => child.once('close', resolve));
      expect(status).toBe(code);
      expect(out).toContain('no law was broken');
    },
    20_000,
  );
});

describe('memfile museum', () => {
  it('tells how one bug went wrong', () => {
    const { code, out } = memfile('museum', 'memory-between-subscribe-and-walk-comes-twice');
    expect(code).toBe(0);
    expect(out).toContain('spdk/spdk issue 3910');
    expect(out).toContain(
      'law 5 (snapshot and subscribe are one step): page 0 comes a second time',
    );
    expect(out).toContain('ours: no law broken');
    const [, timeline] = /\n(law 5 .*?)\n\nours/s.exec(out) ?? [];
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`\`\`\`text\n${timeline}\n\`\`\``);
  });

  it('answers in JSON', () => {
    const { code, out } = memfile('museum', 'registered-twice', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      exhibits: [
        {
          name: 'registered-twice',
          source: expect.stringContaining('PATCH v4 03/12'),
          law: 1,
          found: true,
          ms: expect.any(Number),
          schedules: expect.any(Number),
          steps: 3,
          ours: { schedules: expect.any(Number) },
        },
      ],
    });
  });

  it('refuses a name that it does not know', () => {
    expect(memfile('museum', 'nothing')).toMatchObject({ code: 2, out: '' });
  });
});
