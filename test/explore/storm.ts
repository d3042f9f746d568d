import type { MemoryFile } from '../../core/index.js';
import { LedgerStore } from '../kvm/ledger-store.js';
import { Chance } from './chance.js';
import type { Listener, ListenerOptions, Reaction } from './listener.js';
import { program, type Program, type Statement, type Thread } from './program.js';
import type { Stage } from './stage.js';
import { deviceUser, judge, mappingUser, vmUser, type User, type UserKind } from './storm-users.js';

interface World {
  readonly stage: Stage;
  readonly files: readonly MemoryFile[];
  readonly listeners: (Listener | undefined)[];
  /** A VM, a mapping or a device, if it has one. */
  readonly user: User | undefined;
}

interface Peopled<U extends User> extends World {
  user: U | undefined;
}

const FILES = 2;
const PAGES = 4;

/**
 * A large program that follows from a seed: operations of every kind on two files, against
 * consumers that are slow, refuse, fail, start operations of their own, join and leave; in most, a
 * VM that faults, a mapping or a device is among them. The independent model says what is wrong with
 * what they are told, and the books of the store what is wrong with what they map.
 */
export function storm(seed: number): Program {
  const chance = new Chance(seed);
  switch (chance.below(5)) {
    case 0:
      return stormOf<never>(seed, chance, undefined);
    case 1:
      return stormOf(seed, chance, mappingUser());
    case 2:
      return stormOf(seed, chance, deviceUser(chance));
    default:
      return stormOf(seed, chance, vmUser(chance));
  }
}

function stormOf<U extends User>(
  seed: number,
  chance: Chance,
  kind: UserKind<U> | undefined,
): Program {
  const consumers = Array.from({ length: 2 + chance.below(3) }, (_, i) => consumer(chance, i));
  const names = ['one', 'two', 'three', 'four'].slice(0, 2 + chance.below(3));
  const threads = names.map((name) => [name, thread(chance, consumers.length, kind)] as const);
  return program<Peopled<U>>({
    name: `storm ${seed}`,
    law: 1,
    setUp: async (stage) => {
      // Its frames are never used twice; those of the other store are, as soon as they may.
      const ledger = kind && new LedgerStore();
      const files = Array.from({ length: FILES }, (_, i) => stage.file(`f${i}`, PAGES, ledger));
      const listeners: (Listener | undefined)[] = [];
      const world: Peopled<U> = { stage, files, listeners, user: undefined };
      // The model has to be told of every page that leaves, whoever has left by then.
      for (const file of files) await stage.listen(file, 'probe');
      await files[0]!.fallocate(0, 2);
      for (const join of consumers) listeners.push(await join(world));
      if (kind === undefined || ledger === undefined) return world;
      world.user = await kind.join(stage, files);
      judge(stage, ledger, world.user);
      return world;
    },
    threads: Object.fromEntries(threads),
  });
}

type Join = (world: World) => Promise<Listener>;

function consumer(chance: Chance, index: number): Join {
  const file = chance.below(3) === 0 ? 1 : 0;
  const { start, end } = range(chance);
  const slow = (['invalidate', 'invalidateEnd', 'fallocate', 'prepare'] as const).filter(
    () => chance.below(3) === 0,
  );
  const votes = chance.below(3) === 0;
  const how = chance.below(8);
  const whole = chance.below(2) === 0;
  return (world) => {
    const { stage, files } = world;
    const fails: Reaction = () => {
      throw new Error('fails');
    };
    const rejects: Reaction = () =>
      stage.gate(`c${index} fails`).then(() => Promise.reject(new Error('fails')));
    const starts: Reaction = (_start, _end, { waitUntil }) => {
      const nested = files[how % FILES]!.fallocate(start, end);
      nested.catch(() => {});
      if (file !== how % FILES) waitUntil(nested);
    };
    const looks: Reaction = (start) => world.listeners[index]?.tryLookup(start);
    const on: ListenerOptions['on'] = [
      {},
      { fallocate: looks },
      { fallocate: looks, invalidateEnd: looks },
      { invalidate: fails },
      { invalidate: rejects },
      { prepare: rejects },
      { invalidate: starts },
      { invalidateEnd: starts },
    ][how]!;
    const own = whole ? {} : { range: { start, end } };
    return stage.listen(files[file]!, `c${index}`, { ...own, slow, votes, on });
  };
}

function thread<U extends User>(
  chance: Chance,
  consumers: number,
  kind: UserKind<U> | undefined,
): Thread<Peopled<U>> {
  const statements = Array.from({ length: 1 + chance.below(3) }, () =>
    kind !== undefined && chance.below(2) === 0
      ? doing(chance, kind)
      : statement(chance, consumers),
  );
  return Object.fromEntries(statements.map(([label, run], i) => [`${label} #${i + 1}`, run]));
}

function doing<U extends User>(
  chance: Chance,
  kind: UserKind<U>,
): readonly [string, Statement<Peopled<U>>] {
  const [label, run] = kind.doing(chance);
  return [label, ({ user }) => run(user!)];
}

function statement(chance: Chance, consumers: number): readonly [string, Statement<World>] {
  const file = chance.below(4) === 0 ? 1 : 0;
  const who = chance.below(consumers);
  const { start, end } = range(chance);
  const pages = `[${start}, ${end}) of f${file}`;
  const of = ({ files }: World): MemoryFile => files[file]!;
  switch (chance.below(18)) {
    case 0:
    case 1:
    case 2:
      return [`punch ${pages}`, (world) => of(world).punchHole(start, end)];
    case 3:
    case 4:
    case 5:
      return [`fallocate ${pages}`, (world) => of(world).fallocate(start, end)];
    case 6:
      return [`truncate f${file} to ${start}`, (world) => of(world).truncate(start)];
    case 7:
      return [
        `register for ${pages}`,
        async (world) => {
          const slow = ['invalidate', 'fallocate'] as const;
          await world.stage.listen(of(world), 'comer', { range: { start, end }, slow });
        },
      ];
    case 8:
      return [
        `c${who} looks page ${start} up`,
        ({ listeners }) => listeners[who]?.tryLookup(start),
      ];
    case 9:
      return [`c${who} unregisters`, ({ listeners }) => listeners[who]?.leave()];
    case 10:
      return [`c${who} is evicted`, ({ listeners }) => listeners[who]?.evict()];
    case 11: {
      const to = chance.one(['private', 'shared'] as const);
      return [`make ${pages} ${to}`, (world) => of(world).convert(start, end, to)];
    }
    case 12:
      return [`poison page ${start} of f${file}`, (world) => of(world).poison(start)];
    case 13:
    case 14:
      return [
        `c${who} looks page ${start} up and keeps it`,
        async ({ stage, listeners }) => {
          const put = listeners[who]?.tryLookup(start, true);
          await stage.gate(`c${who} puts page ${start}`);
          put?.();
        },
      ];
    case 15:
      return [
        `punch ${pages} and think better of it`,
        async (world) => {
          const abort = new AbortController();
          const punched = of(world).punchHole(start, end, { signal: abort.signal });
          void world.stage.gate('the signal fires').then(() => abort.abort());
          await punched;
        },
      ];
    case 16:
      if (chance.below(2) === 0) return [`close f${file}`, (world) => of(world).close()];
      return [`evict whoever else has f${file}`, (world) => evictOthers(world, of(world))];
    default:
      return [`synchronize f${file}`, (world) => of(world).synchronize()];
  }
}

/** Ends the registrations of a file that the VM, the mapping or the device has. */
function evictOthers({ stage, user }: World, file: MemoryFile): void {
  if (user !== undefined) user.evicted = true;
  const listening = new Set(stage.listeners.map(({ registration }) => registration));
  for (const consumer of file.consumers()) if (!listening.has(consumer)) consumer.evict();
}

function range(chance: Chance): { readonly start: number; readonly end: number } {
  const start = chance.below(PAGES);
  return { start, end: start + 1 + chance.below(PAGES - start) };
}
