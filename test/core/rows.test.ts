import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  createMemfile,
  NOTIFIER_LIST,
  type Access,
  type MemoryFile,
  type Notifier,
  type Registration,
} from '../../core/index.js';
import { NotifierList } from '../../core/notifier-list.js';
import { Row } from '../../core/row.js';
import { STRETCH } from '../../core/row-calls.js';
import { shmem } from '../../plugins/shmem/index.js';
import { built } from './built.js';

/** What a consumer does when it is told, the one time that it does anything. */
const DEEDS = [
  'throw',
  'reject',
  'wait',
  'leave',
  'await its end',
  'other leaves',
  'observe',
  'come',
  'punch',
] as const;

interface Deed {
  readonly consumer: number;
  readonly event: number;
  readonly type: 'invalidate' | 'invalidateEnd' | 'fallocate';
  readonly does: (typeof DEEDS)[number];
}

const CONSUMERS = 2 * STRETCH + 5;
/** Longer than it takes until all of them are told by compiled calls. */
const BEFORE = 20;
const EVENTS = 6;
const PAGES = 8;
/** What is all of the file until it grows. */
const all = { start: 0, end: PAGES };

/** Who has a range: nobody, most, or a few, of whom it is looked up anew each time who is concerned. */
type Ranged = 'none' | 'most' | 'few';

/** Every call, in order, while consumers do what they do in the last events. */
async function run(deeds: readonly Deed[], ranged: Ranged, compiled: boolean): Promise<string[]> {
  // Whoever is witnessed is told one by one.
  const record = compiled ? 'state' : 'deliveries';
  await using memfile = createMemfile({ plugins: [shmem()], record });
  const { container } = memfile;
  container.register(NOTIFIER_LIST, {
    useFactory: () => new NotifierList<Registration>(4, ranged === 'few' ? 0 : undefined),
  });
  const file = memfile.createFile('shmem', { size: PAGES });
  const log: string[] = [];
  let event = -1;
  const registrations: Registration[] = [];
  const done = new Set<Deed>();
  const told = (consumer: number, type: Deed['type'], start: number, end: number): unknown => {
    if (event < 0) return undefined;
    log.push(`${event} ${type} ${consumer} [${start}, ${end})`);
    const deed = deeds.find((deed) => {
      const now = deed.consumer === consumer && deed.event === event && deed.type === type;
      return now && !done.has(deed);
    });
    if (deed === undefined) return undefined;
    done.add(deed);
    return perform(deed, file, registrations, log);
  };
  for (let i = 0; i < CONSUMERS; i++) {
    const call = (type: Deed['type']) => (start: number, end: number) => told(i, type, start, end);
    const notifier = {
      invalidate: call('invalidate'),
      invalidateEnd: call('invalidateEnd'),
      fallocate: call('fallocate'),
    };
    const range = { start: i % 3, end: 3 + (i % 6) };
    const access: Access = i % 11 === 3 ? 'shared' : i % 11 === 8 ? 'private' : 'both';
    const options = hasRange[ranged](i) ? { range, access } : i % 3 === 1 ? { range: all } : {};
    if (i % 5 < 4) registrations.push(await file.register(notifier as Notifier, options));
    else {
      const registration = await file.register({}, options);
      registration.subscribe((notification) => {
        if (notification.type === 'snapshot' || !(notification.type in notifier)) return undefined;
        const { type, start, end } = notification;
        return told(i, type as Deed['type'], start, end);
      });
      registrations.push(registration);
    }
  }
  for (let i = 0; i < BEFORE; i++) {
    await file.fallocate(2, 3);
    await file.punchHole(2, 3);
  }
  for (event = 0; event < EVENTS; event++) {
    const start = event > 3 ? 1 : 2;
    const end = event === 4 ? PAGES + 4 : 3; // The file grows.
    const operation =
      event % 2 === 0 ? file.fallocate(start, end) : file.punchHole(start, 3 + start);
    await operation.catch((error: Error) => log.push(error.message));
  }
  log.push(JSON.stringify(file.populated()));
  return log;
}

const hasRange = {
  none: () => false,
  most: (i: number) => i % 7 > 0,
  few: (i: number) => i % 8 === 3 || i > CONSUMERS - 3,
};

function perform(
  { does, consumer }: Deed,
  file: MemoryFile,
  registrations: readonly Registration[],
  log: string[],
): unknown {
  const later = Promise.resolve().then(() => log.push(`${consumer} has waited`));
  switch (does) {
    case 'throw':
      throw new Error(`${consumer} throws`);
    case 'reject':
      return later.then(() => Promise.reject(new Error(`${consumer} rejects`)));
    case 'wait':
      return later;
    case 'leave': {
      const registration = registrations[consumer]!;
      registration.unsubscribe();
      void registration.closed.then(() => log.push(`${consumer} is gone`));
      return undefined;
    }
    case 'await its end':
      return registrations[consumer]!.unregister(); // EDEADLK
    case 'other leaves':
      registrations[(consumer * 7 + 3) % CONSUMERS]!.unsubscribe();
      return undefined;
    case 'observe':
      registrations[(consumer * 5 + 1) % CONSUMERS]!.subscribe(({ type }) => {
        log.push(`${consumer} sees ${type}`);
      });
      return undefined;
    case 'come': {
      const seen = (start: number, end: number): void => {
        log.push(`who came with ${consumer} is told [${start}, ${end})`);
      };
      const range = { start: 2, end: 4 + consumer };
      void file.register({ invalidate: seen, fallocate: seen }, { range });
      return undefined;
    }
    case 'punch':
      void file.punchHole(5, 6).then(
        () => log.push(`${consumer} has punched`),
        (error: Error) => log.push(error.message),
      );
      return undefined;
  }
}

const deeds = fc.array(
  fc.record({
    consumer: fc.nat(CONSUMERS - 1),
    event: fc.nat(EVENTS - 1),
    type: fc.constantFrom('invalidate', 'invalidateEnd', 'fallocate'),
    does: fc.constantFrom(...DEEDS),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('consumers that are told by compiled calls', () => {
  it('are told what they are told one by one, whatever they do', async () => {
    await fc.assert(
      fc.asyncProperty(
        deeds,
        fc.constantFrom<Ranged>('none', 'most', 'few'),
        async (deeds: readonly Deed[], ranged) => {
          expect(await run(deeds, ranged, true)).toEqual(await run(deeds, ranged, false));
        },
      ),
      {
        numRuns: 450,
        seed: 20220118,
        // One with a range, told first or in between, has one of those leave who are told next.
        examples: [36, 27, 11].map((consumer): [readonly Deed[], Ranged] => [
          [{ consumer, event: 1, type: 'invalidate', does: 'other leaves' }],
          'few',
        ]),
      },
    );
  });

  it('are told so of all that happens, with others in between that have a range', async () => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    memfile.container.register(NOTIFIER_LIST, {
      useFactory: () => new NotifierList<Registration>(4, 0),
    });
    const file = memfile.createFile('shmem', { size: 8 });
    for (let i = 0; i < STRETCH; i++) await file.register({ fallocate() {}, invalidate() {} });
    await file.register({ fallocate() {}, invalidate() {} }, { range: { start: 1, end: 2 } });
    const tellPart = vi.spyOn(Row.prototype, 'tellPart');
    try {
      for (let i = 0; i < 10; i++) {
        tellPart.mockClear();
        await file.fallocate(1, 2);
        const arrived = tellPart.mock.calls.length;
        await file.punchHole(1, 2);
        const left = tellPart.mock.calls.length - arrived;
        // Of every event those before the one in between, and those behind.
        if (i > 2) expect({ arrived, left }).toEqual({ arrived: 2, left: 4 });
      }
    } finally {
      tellPart.mockRestore();
    }
  });

  it('are told in a loop where no code can be made from text', () => {
    const program = `
      const { createMemfile } = await import(${built('core/index.js')});
      const { shmem } = await import(${built('plugins/shmem/index.js')});
      let refused = 0;
      const { Function: original } = globalThis;
      globalThis.Function = new Proxy(original, {
        construct(target, texts) {
          try {
            return new target(...texts);
          } catch (error) {
            refused++;
            throw error;
          }
        },
      });
      let told = 0;
      for (let files = 0; files < 2; files++) {
        const file = createMemfile({ plugins: [shmem()] }).createFile('shmem', { size: 4 });
        for (let i = 0; i < 20; i++) await file.register({ invalidate() { told++; } });
        for (let i = 0; i < 1500; i++) await file.punchHole(0, 1);
      }
      console.log(told, refused);
    `;
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e'];
    const out = execFileSync(process.execPath, [...flags, program]).toString();
    expect(out.trim()).toBe(`${2 * 20 * 1500} 1`);
  });

  it('are compiled less and less often where somebody keeps coming and leaving', async () => {
    const { Function: original } = globalThis;
    let made = 0;
    globalThis.Function = new Proxy(original, {
      construct(target, texts: string[]) {
        made++;
        return new target(...texts);
      },
    });
    try {
      await using memfile = createMemfile({ plugins: [shmem()] });
      const { container } = memfile;
      container.register(NOTIFIER_LIST, {
        useFactory: () => new NotifierList<Registration>(4),
      });
      const file = memfile.createFile('shmem', { size: 8 });
      for (let i = 0; i < STRETCH; i++) await file.register({ invalidate() {} });
      const rounds = 64;
      for (let round = 0; round < rounds; round++) {
        for (let event = 0; event < 40; event++) await file.punchHole(0, 1);
        await (await file.register({})).unregister();
      }
      // With every one that was in vain, twice as many events have to come before the next.
      expect(made).toBeGreaterThan(0);
      expect(made).toBeLessThan(8);
    } finally {
      globalThis.Function = original;
    }
  });
});
