import 'reflect-metadata';
import fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { MemoryJournal } from '../../core/index.js';
import type { Scope } from '../../core/scope.js';
import { scoped } from './set-up.js';

const SEED = Number(process.env['MEMFILE_SEED'] ?? 20220118);
const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 1500);

/** How a part ends; `plain` has nothing to dispose of, and stands between others. */
type Ending = 'plain' | 'sync' | 'async' | 'throws' | 'rejects';

const endings: readonly Ending[] = ['plain', 'sync', 'async', 'throws', 'rejects'];

const graph = fc.record({
  /** For each scope but the first: picks its parent among those before it. */
  scopes: fc.array(fc.nat(), { maxLength: 4 }),
  parts: fc.array(
    fc.record({
      ending: fc.constantFrom(...endings),
      scope: fc.nat(),
      needs: fc.array(fc.nat(), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  /** The order in which parts are asked for. */
  asked: fc.array(fc.nat(), { maxLength: 12 }),
  /** Picks a scope that the application takes down by itself before. */
  early: fc.option(fc.nat(), { nil: undefined }),
  storeFails: fc.boolean(),
  journalFails: fc.boolean(),
});

type Graph = typeof graph extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly log: string[];
  readonly failing: Set<string>;
  readonly made: Set<number>;
}

/** A class that is given `needs`, says when it ends, and ends as it is told to. */
function partClass(n: number, ending: Ending, needs: readonly symbol[], world: World) {
  const { log, failing, made } = world;
  class Plain {
    readonly needs: readonly unknown[];

    constructor(...given: readonly unknown[]) {
      this.needs = given;
      made.add(n);
    }
  }
  const fail = (): never => {
    failing.add(`part ${n} fails`);
    throw new Error(`part ${n} fails`);
  };
  class Sync extends Plain {
    [Symbol.dispose](): void {
      log.push(`begin ${n}`, `end ${n}`);
      if (ending === 'throws') fail();
    }
  }
  class Async extends Plain {
    async [Symbol.asyncDispose](): Promise<void> {
      log.push(`begin ${n}`);
      await Promise.resolve();
      await Promise.resolve();
      log.push(`end ${n}`);
      if (ending === 'rejects') fail();
    }
  }
  const part =
    ending === 'plain' ? Plain : ending === 'async' || ending === 'rejects' ? Async : Sync;
  for (const [i, token] of needs.entries()) inject(token)(part, undefined, i);
  injectable()(part);
  return part;
}

async function run({ scopes: parents, parts, asked, early, storeFails, journalFails }: Graph) {
  const world: World = { log: [], failing: new Set(), made: new Set() };
  const { log, failing, made } = world;
  const close = (what: string, fails: boolean): void => {
    log.push(what);
    if (!fails) return;
    failing.add(`the ${what} fails`);
    throw new Error(`the ${what} fails`);
  };
  const journal = new MemoryJournal();
  journal.close = async () => close('journal', journalFails);
  const { memfile, scope, takeDown } = scoped(() => close('store', storeFails), { journal });
  const file = memfile.createFile('shmem', { size: 4 });
  const registration = await file.register({ name: 'a consumer' });
  void registration.closed.then(() => log.push('consumer'));
  const scopes: Scope[] = [scope];
  const ancestors: number[][] = [[0]];
  for (const pick of parents) {
    const parent = pick % scopes.length;
    ancestors.push([...ancestors[parent]!, scopes.length]);
    scopes.push(scopes[parent]!.createScope(`scope ${scopes.length}`));
  }
  const tokens = parts.map((_, n) => Symbol(`part ${n}`));
  const home = parts.map((part) => part.scope % scopes.length);
  const needs: number[][] = [];
  for (const [n, part] of parts.entries()) {
    const seen = [...parts.keys()]
      .slice(0, n)
      .filter((m) => ancestors[home[n]!]!.includes(home[m]!));
    const picked = seen.length === 0 ? [] : part.needs.map((pick) => seen[pick % seen.length]!);
    needs.push(picked);
    const given = picked.map((m) => tokens[m]!);
    scopes[home[n]!]!.provide(partClass(n, part.ending, given, world), tokens[n]);
  }
  for (const pick of asked) {
    const n = pick % parts.length;
    scopes[home[n]!]!.container.resolve(tokens[n]!);
  }
  const failures: unknown[] = [];
  const collect = (error: unknown): void => void failures.push(...(error as AggregateError).errors);
  const alone = early === undefined ? 0 : early % scopes.length;
  if (alone > 0) await scopes[alone]![Symbol.asyncDispose]().catch(collect);
  await takeDown().catch(collect);
  return { log, failing, made, needs, failures, parts };
}

describe('teardown', () => {
  it(`of a random graph of parts (${RUNS} graphs, seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (graph) => {
        const { log, failing, made, needs, failures, parts } = await run(graph);
        const ends = [...made].filter((n) => parts[n]!.ending !== 'plain');
        // Every part that was made ends, once, and nothing else does.
        const begun = log.filter((line) => line.startsWith('begin'));
        expect([...begun].sort()).toEqual(ends.map((n) => `begin ${n}`).sort());
        // Before anything that it was given, directly or through others.
        for (const n of ends) {
          for (const m of closure(needs, n)) {
            if (parts[m]!.ending === 'plain') continue;
            expect(log.indexOf(`end ${n}`)).toBeLessThan(log.indexOf(`begin ${m}`));
          }
        }
        // One after the other, and all of them before consumers, files and stores.
        for (const [i, line] of log.entries()) {
          if (line.startsWith('begin')) expect(log[i + 1]).toBe(line.replace('begin', 'end'));
        }
        const rest = log.filter((line) => !/^(begin|end)/.test(line));
        expect(log.slice(-rest.length)).toEqual(rest);
        expect(rest).toEqual(['consumer', 'store', 'journal']);
        // Whatever failed is reported, each once.
        const reported = failures.map((error) => (error as Error).message);
        expect(reported.sort()).toEqual([...failing].sort());
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

function closure(needs: readonly (readonly number[])[], n: number): Set<number> {
  const found = new Set<number>();
  const open = [...needs[n]!];
  for (let m = open.pop(); m !== undefined; m = open.pop()) {
    if (found.has(m)) continue;
    found.add(m);
    open.push(...needs[m]!);
  }
  return found;
}
