import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemoryJournal,
  type MemfileError,
  type MemoryFile,
  type NotifierEvent,
  type NotifierFunction,
  type OperationOptions,
  type Recorded,
  type Registration,
} from '../../core/index.js';
import type { ToldEvent } from '../../core/told-event.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { collected } from './collected.js';
import { overriding } from '../kit/overriding.js';
import { overridingFile } from '../kit/stores/overriding-file.js';

/** What a consumer does when it is told. */
const DEEDS = [
  'nothing',
  'throw',
  'reject',
  'wait',
  'waitUntil',
  'leave',
  'unregister and wait',
  'observe',
  'punch',
  'punch and wait',
  'fallocate',
  'register',
  'truncate',
  'synchronize',
  'evict',
  'close',
] as const;

type Deed = (typeof DEEDS)[number];

const PAGES = 16;
const CONSUMERS = [
  { start: 0, end: 2 ** 51 },
  { start: 0, end: 8 },
  { start: 4, end: 12 },
] as const;

interface Step {
  readonly does: 'fallocate' | 'punch';
  readonly start: number;
  readonly end: number;
  /** Whether the one before has to be over first. */
  readonly awaits: boolean;
}

interface Program {
  readonly store: 'shmem' | 'hugetlb';
  /** How many pages there are in all: operations fail when these are used up. */
  readonly quota: number;
  /** The journal fails at this event. */
  readonly broken: number;
  /** Whether what is recorded is durable only later. */
  readonly slow: boolean;
  /** Whether the store starts operations of its own where it allocates. */
  readonly reentrant: boolean;
  /** Of the calls of consumers, in turn. */
  readonly deeds: readonly Deed[];
  readonly steps: readonly Step[];
}

/** Takes its time if it is slow, and fails once it has so many events. */
class BadJournal extends MemoryJournal {
  readonly #most: number;
  readonly #slow: boolean;
  readonly #log: string[];
  readonly #durable = new Map<number, Promise<void>>();

  constructor({ broken, slow }: Pick<Program, 'broken' | 'slow'>, log: string[]) {
    super();
    this.#most = broken;
    this.#slow = slow;
    this.#log = log;
  }

  override whenDurable(position: number): Promise<void> | undefined {
    if (!this.#slow) return undefined;
    const durable = this.#durable.get(position) ?? this.#afterAWhile(position);
    this.#durable.set(position, durable);
    return durable;
  }

  async #afterAWhile(position: number): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    this.#log.push(`durable up to ${position}`);
  }

  override appendRow(...row: Parameters<MemoryJournal['appendRow']>): number {
    this.#check();
    return super.appendRow(...row);
  }

  override append(event: Parameters<MemoryJournal['append']>[0]): number {
    this.#check();
    return super.append(event);
  }

  #check(): void {
    if (this.position >= this.#most) throw new Error('the disk is full');
  }
}

interface Outcome {
  readonly log: readonly string[];
  readonly events: readonly Recorded[];
}

/**
 * What consumers and callers see of a program, and what is in the journal.
 *
 * @param options no options at all, or what stands for them: those operations have an object from the
 * beginning, in a lane, like all others.
 */
async function run(program: Program, options: OperationOptions[]): Promise<Outcome> {
  const log: string[] = [];
  const journal = new BadJournal(program, log);
  const pages = shmem({ quota: program.quota });
  let allocations = 0;
  const reentrant = overriding(pages, {
    createFile(spec) {
      const store = pages.createFile(spec);
      return overridingFile(store, {
        allocate(start, end) {
          if (program.reentrant && allocations++ % 2 === 0) {
            follow('punch of the store', file.punchHole(start, end + 1, ...options));
          }
          return store.allocate(start, end);
        },
      });
    },
  });
  const plugins = [reentrant, hugetlb({ pageSize: '2M', pool: 512 * 4 })];
  const memfile = createMemfile({ plugins, journal });
  const file: MemoryFile = memfile.createFile(program.store, { size: scaled(program, PAGES) });
  const running: Promise<unknown>[] = [];
  const follow = (what: string, promise: Promise<unknown>): Promise<unknown> => {
    const over = promise.then(
      () => log.push(`${what}: done`),
      ({ code, effect, message }: MemfileError) =>
        log.push(`${what}: ${code} ${effect} ${message}`),
    );
    running.push(over);
    return over;
  };
  const registrations: Registration[] = [];
  let calls = 0;
  for (const [consumer, range] of CONSUMERS.entries()) {
    const callback =
      (type: string): NotifierFunction =>
      (start, end, event) => {
        const call = calls++;
        const deed = program.deeds[call] ?? 'nothing';
        const { position, reason } = event;
        log.push(`${consumer} ${type} [${start}, ${end}) ${reason} at ${position}, and ${deed}`);
        const registration = registrations[consumer]!;
        switch (deed) {
          case 'throw':
            throw new Error(`call ${call}`);
          case 'reject':
            return Promise.reject(new Error(`call ${call}`));
          case 'wait':
            return Promise.resolve().then(() => log.push(`call ${call} is over`));
          case 'waitUntil':
            event.waitUntil(Promise.resolve().then(() => log.push(`call ${call} is over`)));
            break;
          case 'leave':
            registration.unsubscribe();
            break;
          case 'unregister and wait':
            return registration.unregister();
          case 'observe':
            registrations[0]!.subscribe((told) =>
              log.push(`observed ${told.type} at ${told.position}`),
            );
            break;
          case 'punch':
            follow(`punch in ${call}`, file.punchHole(start, end, ...options));
            break;
          case 'punch and wait':
            return file.punchHole(start, end, ...options);
          case 'fallocate':
            follow(`fallocate in ${call}`, file.fallocate(start, end, ...options));
            break;
          case 'register': {
            const fallocate = (from: number, to: number): void => {
              log.push(`new one in ${call}: fallocate [${from}, ${to})`);
            };
            follow(`register in ${call}`, file.register({ fallocate }, { range: { start, end } }));
            break;
          }
          case 'truncate':
            follow(`truncate in ${call}`, file.truncate(start));
            break;
          case 'synchronize':
            follow(`synchronize in ${call}`, file.synchronize());
            break;
          case 'evict':
            registration.evict();
            break;
          case 'close':
            follow(`close in ${call}`, file.close());
            break;
          case 'nothing':
            break;
        }
        return undefined;
      };
    const notifier = {
      fallocate: callback('fallocate'),
      invalidate: callback('invalidate'),
      invalidateEnd: callback('invalidateEnd'),
    };
    const scaledRange = { start: scaled(program, range.start), end: scaledEnd(program, range.end) };
    registrations.push(await file.register(notifier, { range: scaledRange }));
  }
  for (const [number, { does, start, end, awaits }] of program.steps.entries()) {
    const [from, to] = [scaled(program, start), scaled(program, end)];
    const operation =
      does === 'punch'
        ? file.punchHole(from, to, ...options)
        : file.fallocate(from, to, ...options);
    log.push(`${does} ${number} has been called`);
    const over = follow(`${does} ${number}`, operation);
    if (awaits) await over;
  }
  for (let over = 0; over < running.length;) {
    over = running.length;
    await Promise.all(running);
  }
  const populated = file.closed ? [] : file.populated();
  log.push(`there: ${populated.map((range) => `[${range.start}, ${range.end})`).join(' ')}`);
  if (!file.closed) {
    const { refusals } = file.plan({ type: 'fallocate', start: 0, end: file.pages + 1 });
    log.push(`no room: ${refusals.map(({ message }) => message).join()}`);
  }
  const events = [...journal.read(1)];
  await memfile[Symbol.asyncDispose]().catch(() => {});
  return { log, events };
}

/** Pages of hugetlb come in hundreds: some ranges end between two of them. */
function scaled({ store }: Program, page: number): number {
  return store === 'shmem' ? page : page * 128;
}

function scaledEnd(program: Program, end: number): number {
  return end === 2 ** 51 ? end : scaled(program, end);
}

const step: fc.Arbitrary<Step> = fc
  .record({
    does: fc.constantFrom('fallocate', 'punch'),
    start: fc.nat(PAGES + 1),
    length: fc.integer({ min: 0, max: 6 }),
    awaits: fc.boolean(),
  })
  .map(({ length, ...step }) => ({ ...step, end: step.start + length }));

const program: fc.Arbitrary<Program> = fc.record({
  store: fc.constantFrom('shmem', 'hugetlb'),
  quota: fc.constantFrom(4, 8, 1000),
  broken: fc.oneof(
    { weight: 3, arbitrary: fc.constant(Infinity) },
    fc.integer({ min: 8, max: 40 }),
  ),
  slow: fc.boolean(),
  reentrant: fc.boolean(),
  deeds: fc.array(fc.oneof(fc.constant<Deed>('nothing'), fc.constantFrom(...DEEDS)), {
    maxLength: 24,
  }),
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
});

describe('an operation that nothing precedes', () => {
  it('does the same without an object of its own as with one', async () => {
    await fc.assert(
      fc.asyncProperty(program, async (program) => {
        const atOnce = await run(program, []);
        const withObject = await run(program, [{}]);
        expect(atOnce).toEqual(withObject);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([[], [{}]])('gives pages back whose arrival cannot be recorded', async (...options) => {
    const journal = new BadJournal({ broken: 1, slow: false }, []);
    const pages = shmem();
    const freed: unknown[] = [];
    const watched = overriding(pages, {
      createFile(spec) {
        const store = pages.createFile(spec);
        return overridingFile(store, {
          free(...args) {
            freed.push(args);
            return store.free(...args);
          },
        });
      },
    });
    const memfile = createMemfile({ plugins: [watched], journal });
    const file = memfile.createFile('shmem', { size: 4 });
    await expect(file.fallocate(0, 4, ...options)).rejects.toThrow('EIO');
    expect(freed).toEqual([[0, 4, 'undo']]);
  });

  it.each([[], [{}]])('rejects when its journal cannot keep it', async (...options) => {
    class LostJournal extends MemoryJournal {
      override async whenDurable(): Promise<void> {
        await Promise.resolve();
        throw new Error('the disk is gone');
      }
    }
    const memfile = createMemfile({ plugins: [shmem()], journal: new LostJournal() });
    const file = memfile.createFile('shmem', { size: 4 });
    const lost = { code: 'EIO', effect: 'done', message: expect.stringContaining('gone') };
    await expect(file.fallocate(0, 4, ...options)).rejects.toMatchObject(lost);
    await expect(file.punchHole(0, 4, ...options)).rejects.toMatchObject(lost);
  });

  it.each([[], [{}]])('holds nobody up when its journal throws', async (...options) => {
    class BrokenJournal extends MemoryJournal {
      override whenDurable(): undefined {
        throw new Error('the disk is gone');
      }
    }
    const memfile = createMemfile({ plugins: [shmem()], journal: new BrokenJournal() });
    for (const file of [1, 2].map(() => memfile.createFile('shmem', { size: 4 }))) {
      const lost = { code: 'EIO', effect: 'done', message: expect.stringContaining('gone') };
      await expect(file.fallocate(0, 4, ...options)).rejects.toMatchObject(lost);
      await expect(file.punchHole(0, 4, ...options)).rejects.toMatchObject(lost);
    }
  });

  it.each(['fallocate', 'punchHole'] as const)(
    'rejects when the options of %s cannot be read',
    async (call) => {
      const file = createMemfile({ plugins: [shmem()] }).createFile('shmem', { size: 4 });
      const options = {
        get reason(): never {
          throw new Error('unreadable');
        },
      };
      await expect(file[call](0, 4, options)).rejects.toMatchObject({ code: 'EINVAL' });
    },
  );

  it('is forgotten when it is over, also if a consumer failed', async () => {
    const file = createMemfile({ plugins: [shmem()] }).createFile('shmem', { size: 4 });
    const errors: WeakRef<Error>[] = [];
    const fail = (): never => {
      const error = new Error('no');
      errors.push(new WeakRef(error));
      throw error;
    };
    await file.register({ fallocate: fail });
    await file.fallocate(0, 4).catch(() => {});
    await collected();
    expect(errors.map((error) => error.deref())).toEqual([undefined]);
    expect(file.populated()).toHaveLength(1);
  });

  it('becomes no other one when it is over, whoever has kept an event of it', async () => {
    const file = createMemfile({ plugins: [shmem()] }).createFile('shmem', { size: 4 });
    const events: NotifierEvent[] = [];
    await file.register({ fallocate: (_start, _end, event) => void events.push(event) });
    await file.fallocate(0, 4);
    const [event] = events as ToldEvent[];
    expect(() => event!.operation.self).toThrow('over');
    await expect(file.punchHole(0, 4)).resolves.toBeUndefined();
  });
});
