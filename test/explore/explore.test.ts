import { describe, expect, it, vi } from 'vitest';
import { SrcuDomain } from '../../core/index.js';
import {
  AGAIN,
  checkLitmus,
  explore,
  litmus,
  load,
  printCounterexample,
  program,
  replaySaved,
  save,
  storm,
  type Verdict,
} from './index.js';
import { tortured } from './srcu-torture.js';

// Programs of many schedules, on machines that may have other things to do.
vi.setConfig({ testTimeout: 60_000 });

const nothing = (): void => {};

/** Two threads that add one to a number which they keep, read too early; and one in nobody's way. */
const lostUpdate = program({
  name: 'lost update',
  law: 1,
  says: 'an addition is lost',
  never: true,
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    return { file, shared: 0, writes: 0, read: [0, 0] };
  },
  threads: {
    one: {
      'read it': (world) => (world.read[0] = world.shared),
      'write one more': (world) => {
        world.shared = world.read[0]! + 1;
        world.writes++;
      },
    },
    two: {
      'read it': (world) => (world.read[1] = world.shared),
      'write one more': (world) => {
        world.shared = world.read[1]! + 1;
        world.writes++;
      },
    },
    bystander: {
      fallocate: ({ file }) => file.fallocate(0, 1),
      punch: ({ file }) => file.punchHole(0, 1),
    },
  },
  seen: ({ shared, writes }) => writes === 2 && shared < 2,
});

describe('explore', () => {
  it('tries every order of independent statements, each once', async () => {
    const orders = new Set<string>();
    const result = await explore(
      program({
        name: 'orders',
        law: 1,
        setUp: () => ({ order: '' }),
        threads: {
          a: { a1: (w) => void (w.order += 'a'), a2: (w) => void (w.order += 'a') },
          b: { b1: (w) => void (w.order += 'b'), b2: (w) => void (w.order += 'b') },
          c: { c1: (w) => void (w.order += 'c') },
        },
        seen: ({ order }) => {
          orders.add(order);
          return order.startsWith('a');
        },
      }),
    );
    // 5! / (2! 2! 1!), of which two fifths begin with a.
    expect(result).toMatchObject({ schedules: 30, exhaustive: true, seen: 12, steps: 5 });
    expect(orders.size).toBe(30);
  });

  it('calls a statement again until it has no more to do', async () => {
    const result = await explore(
      program({
        name: 'again',
        law: 1,
        setUp: () => ({ left: 3 }),
        threads: { a: { three: (w) => (--w.left > 0 ? AGAIN : undefined) }, b: { b: nothing } },
      }),
    );
    expect(result).toMatchObject({ schedules: 4, steps: 4, exhaustive: true });
  });

  it('samples what is too large, the same way from the same seed', async () => {
    const tooLarge = storm(3);
    const once = await explore(tooLarge, { seed: 7, runs: 200 });
    expect(once.exhaustive).toBe(false);
    expect(once.schedules).toBe(200);
    expect(once.estimate).toBeGreaterThan(200);
    const { ms: _, ...again } = await explore(tooLarge, { seed: 7, runs: 200 });
    expect(once).toMatchObject(again);
  });

  it('finds a lost update, and leaves out what it does not need', async () => {
    const { counterexample, foundAfter } = await explore(lostUpdate);
    expect(foundAfter).toBeLessThan(40);
    expect(printCounterexample(counterexample!)).toBe(
      [
        'law 1 (order): an addition is lost',
        '   1  one  write one more',
        '   2  two  write one more',
        '',
      ].join('\n'),
    );
  });

  it('waits for a promise that takes many microtasks', async () => {
    const long = program({
      name: 'long',
      law: 6,
      setUp: () => ({ over: false }),
      threads: {
        a: {
          'wait long': async (world) => {
            for (let tick = 0; tick < 200; tick++) await undefined;
            world.over = true;
          },
        },
      },
      seen: ({ over }) => over,
    });
    const { counterexample, schedules, seen } = await explore(long);
    expect({ counterexample, schedules, seen }).toEqual({
      counterexample: undefined,
      schedules: 1,
      seen: 1,
    });
  });

  it('says who waits for ever, and who goes in circles', async () => {
    const forever = program({
      name: 'forever',
      law: 6,
      setUp: () => ({}),
      threads: { a: { 'wait for nobody': () => new Promise(nothing) }, b: { b: nothing } },
    });
    const { counterexample } = await explore(forever);
    expect(counterexample?.broken).toEqual({ law: 6, detail: 'a waits for ever: wait for nobody' });
    const circle = program({
      name: 'circle',
      law: 4,
      setUp: () => ({}),
      threads: { a: { round: () => AGAIN } },
    });
    const { counterexample: round } = await explore(circle, { runs: 10 });
    expect(round?.broken).toEqual({ law: 4, detail: 'it is not over after 500 turns' });
  });

  it('counts an unexpected error as a broken law, and an errno as an answer', async () => {
    const failing = program({
      name: 'failing',
      law: 11,
      setUp: (stage) => stage.file('ram', 1),
      threads: {
        a: { 'punch nothing': (file) => file.punchHole(1, 1) },
        b: {
          throw: () => {
            throw new TypeError('oops');
          },
        },
      },
    });
    const { counterexample } = await explore(failing);
    expect(counterexample?.broken).toEqual({ law: 11, detail: 'unexpected TypeError: oops' });
    expect(counterexample?.threads.map(({ statements }) => statements)).toEqual([[], ['throw']]);
  });

  it('sees a state that the journal does not tell', async () => {
    const meddling = program({
      name: 'meddling',
      law: 10,
      setUp: (stage) => ({ stage, file: stage.file('ram', 1) }),
      threads: {
        a: { meddle: ({ stage, file }) => void (stage.state.files.get(file.id)!.pages = 2) },
      },
    });
    const { counterexample } = await explore(meddling);
    expect(counterexample?.broken.law).toBe(10);
  });

  it('stops when it is told to, and when its time is over', async () => {
    const stopped = await explore(storm(3), { onProgress: (schedules) => schedules < 1024 });
    expect(stopped).toMatchObject({ schedules: 1024, exhaustive: false });
    const late = await explore(storm(3), { timeMs: 0 });
    expect(late).toMatchObject({ schedules: 512, exhaustive: false });
  });

  it('gives errors their stacks back, also when two are under way', async () => {
    const { stackTraceLimit } = Error;
    expect(stackTraceLimit).toBeGreaterThan(0);
    await Promise.all([explore(lostUpdate), explore(storm(3), { runs: 1024 })]);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  it('finds a domain that does not wait, by the age of what readers hold', async () => {
    class Hasty extends SrcuDomain {
      override synchronize(): Promise<void> {
        return Promise.resolve();
      }
    }
    const torture = (domain: () => SrcuDomain) =>
      program({
        name: 'torture',
        law: 6,
        never: true,
        setUp: () => tortured(domain()),
        threads: {
          reader: { enter: (t) => t.enter(0), leave: (t) => t.leave(0) },
          updater: { replace: (t) => t.replace(), again: (t) => t.replace() },
        },
        seen: ({ tooOld }) => tooOld > 0,
      });
    expect((await explore(torture(() => new Hasty()))).counterexample?.timeline).toHaveLength(3);
    const sound = await explore(torture(() => new SrcuDomain()));
    expect(sound).toMatchObject({ exhaustive: true, counterexample: undefined });
  });
});

describe('a saved counterexample', () => {
  it('comes to the very same journal again', async () => {
    const { counterexample } = await explore(lostUpdate);
    const text = save({ ...counterexample!, threads: lostUpdate.threads });
    expect(await replaySaved(lostUpdate, load(save(counterexample!)))).toMatchObject({
      same: true,
    });
    expect(load(text).events).toEqual(counterexample!.events);
    const other = { ...load(save(counterexample!)), choices: [0, 0, 0] };
    expect(await replaySaved(lostUpdate, { ...other, events: [] })).toMatchObject({ same: false });
  });

  it('is not made of anything else', () => {
    expect(() => load('')).toThrow(SyntaxError);
    expect(() => load('{"program": 3}\n')).toThrow(TypeError);
  });

  it('is byte by byte the same from the same seed', async () => {
    const texts = await Promise.all(
      [1, 1, 2].map(async (seed) => save((await explore(lostUpdate, { seed })).counterexample!)),
    );
    expect(texts[0]).toBe(texts[1]);
    expect(JSON.parse(texts[2]!.split('\n')[0]!)).toMatchObject({ seed: 2 });
  });
});

describe('a verdict', () => {
  const check = (verdict: Verdict, seen: (order: string) => boolean) =>
    checkLitmus({
      name: 'orders',
      verdict,
      ...litmus<{ order: string }>({
        law: 1,
        says: 'b comes first',
        setUp: () => ({ order: '' }),
        threads: {
          a: { a: (w) => void (w.order += 'a') },
          b: { b: (w) => void (w.order += 'b') },
        },
        seen: ({ order }) => seen(order),
      }),
    });
  const bFirst = (order: string): boolean => order.startsWith('b');

  it.each([
    ['sometimes', bFirst, undefined],
    ['sometimes', () => false, 'never in 2: b comes first'],
    ['sometimes', () => true, 'always in 2: b comes first'],
    ['always', () => true, undefined],
    ['always', bFirst, 'not in 1 of 2: b comes first'],
    ['never', () => false, undefined],
    ['never', bFirst, 'b comes first'],
  ] as const)('"%s" is wrong when it is', async (verdict, seen, wrong) => {
    expect((await check(verdict, seen)).wrong).toBe(wrong);
  });
});

describe('storms', () => {
  const SEED = Number(process.env['MEMFILE_SEED'] ?? 1);
  const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 30);

  it(`keep the laws (${RUNS} programs from seed ${SEED})`, async () => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const { counterexample } = await explore(storm(seed), { seed, runs: 60 });
      expect(counterexample && printCounterexample(counterexample)).toBeUndefined();
    }
  });
});
