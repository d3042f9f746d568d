import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  defineEvents,
  EventHistory,
  EVOLVE_VERSION,
  MemoryJournal,
  replay,
  saveState,
  type Journal,
  type JournalEvent,
  type OwnEvent,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

/** Version 1 counted in kibibytes, 2 in bytes, 3 says who. */
interface First extends OwnEvent {
  readonly type: 'filled';
  readonly kib: number;
}
interface Second extends OwnEvent {
  readonly type: 'filled';
  readonly bytes: number;
}
type Third = (Second & { readonly by: string }) | { readonly type: 'emptied'; readonly by: string };

const first = EventHistory.first<First>();
const second = first.next(({ type, kib }): Second => ({ type, bytes: kib * 1024 }));
const third = second.next((event): Third => ({ ...event, by: 'nobody' }));

const TANK_1 = defineEvents({
  name: 'tank',
  history: first,
  initial: 0,
  evolve: (kib: number, event) => kib + event.kib,
});
const initial = { bytes: 0, by: '' };
const TANK = defineEvents({
  name: 'tank',
  history: third,
  initial,
  evolve: (state: typeof initial, event) =>
    event.type === 'filled'
      ? { bytes: state.bytes + event.bytes, by: `${state.by}+${event.by}` }
      : { bytes: 0, by: event.by },
});

const memfileOf = (journal: Journal = new MemoryJournal()) =>
  createMemfile({ plugins: [shmem()], journal });

/** Two events of version 1, one of version 3, and something else between them. */
function written() {
  const journal = new MemoryJournal();
  const add = (data: object, name = 'filled', version?: number): void => {
    const event = { type: 'plugin', plugin: 'tank', name, data: { ...data } } as const;
    journal.append(version === undefined ? event : { ...event, version });
  };
  add({ kib: 1 });
  journal.append({ type: 'plugin', plugin: 'other', name: 'said', data: { x: 1 } });
  add({ kib: 2 });
  add({ bytes: 5 }, 'filled', 2);
  add({ bytes: 7, by: 'me' }, 'filled', 3);
  return journal;
}

const copyOf = (journal: Journal, to = journal.position): MemoryJournal => {
  const copy = new MemoryJournal();
  for (const { position: _, ...event } of journal.read(1, to + 1)) {
    copy.append(event as JournalEvent);
  }
  return copy;
};

const stateAt = (journal: Journal, at?: number) => replay(journal, at, [TANK]).own.of(TANK);

describe("events of one's own", () => {
  it('are folded live, in replay and at any position, and stand in the journal as they are', () => {
    const memfile = memfileOf();
    const tank = memfile.declare(TANK);
    expect(tank.state).toEqual({ bytes: 0, by: '' });
    tank.record({ type: 'filled', bytes: 3, by: 'me' });
    memfile.createFile('shmem', { size: 1 });
    tank.record({ type: 'emptied', by: 'you' });
    expect(tank.state).toEqual({ bytes: 0, by: 'you' });
    expect([0, 1, 2, 3].map((at) => tank.at(at).by)).toEqual(['', '+me', '+me', 'you']);
    expect(() => tank.at(4)).toThrow(/EINVAL.*0\.\.3/);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
    expect(memfile.replay({ to: 1 }).toJSON().own).toEqual({ tank: { bytes: 3, by: '+me' } });
    expect([...memfile.journal.read(3)]).toEqual([
      {
        type: 'plugin',
        plugin: 'tank',
        name: 'emptied',
        data: { by: 'you' },
        version: 3,
        position: 3,
      },
    ]);
    expect(memfile.declare(TANK).state).toBe(tank.state);
  });

  it('of earlier versions are what they would be today, one version after the other', () => {
    const whole = { bytes: 3 * 1024 + 12, by: '+nobody+nobody+nobody+me' };
    expect(stateAt(written())).toEqual(whole);
    expect(stateAt(written(), 1)).toEqual({ bytes: 1024, by: '+nobody' });
    expect(memfileOf(written()).declare(TANK).state).toEqual(whole);
  });

  it('of a later version are refused, and say what to do', () => {
    const newer = () => memfileOf(written()).declare(TANK_1);
    expect(newer).toThrow(/EOPNOTSUPP.*"filled" of "tank" has version 2, known is 1; update/);
  });

  it('that nobody declared are kept and shown, and are no error', () => {
    const journal = written();
    const memfile = memfileOf(journal);
    expect(memfile.state.toJSON().own).toBeUndefined();
    expect(memfile.state.toJSON().plugins).toMatchObject({ other: { said: { x: 1 } } });
    memfile.createFile('shmem', { size: 1 });
    expect([...journal.read(1, 6)]).toEqual([...written().read(1)]);
    expect(memfile.declare(TANK).state.bytes).toBe(3 * 1024 + 12);
  });

  it('come out of a checkpoint, and of one of another version nothing does', () => {
    const journal = written();
    const declared = replay(journal, 4, [TANK]);
    const state = saveState(declared);
    // So that it is seen from where a state comes.
    const marked = state.replaceAll('"bytes":3077', '"bytes":1000000');
    expect(marked).not.toBe(state);
    journal.saveCheckpoint({ position: 4, version: EVOLVE_VERSION, state: marked });
    expect(stateAt(journal).bytes).toBe(1_000_007);
    const raised = { ...TANK, history: third.next((event) => event) };
    expect(replay(journal, 5, [raised]).own.of(raised).bytes).toBe(3 * 1024 + 12);
  });

  it('of which a checkpoint knows nothing are folded from the first event', () => {
    const journal = written();
    const state = saveState(replay(journal, 4));
    journal.saveCheckpoint({ position: 4, version: EVOLVE_VERSION, state });
    expect(stateAt(journal).bytes).toBe(3 * 1024 + 12);
    expect(stateAt(journal, 4).bytes).toBe(3 * 1024 + 5);
  });

  it('are not lost in checkpoints of who does not know them', () => {
    const journal = written();
    const save = (at: number, definitions: readonly (typeof TANK)[]): void => {
      const state = saveState(replay(journal, at, definitions));
      journal.saveCheckpoint({ position: at, version: EVOLVE_VERSION, state });
    };
    save(3, [TANK]);
    save(4, []);
    journal.truncate(4, EVOLVE_VERSION);
    expect(journal.first).toBe(4);
    expect(stateAt(journal).bytes).toBe(3 * 1024 + 12);
    journal.truncate(5, EVOLVE_VERSION);
    expect(journal.first).toBe(5);
    expect(() => stateAt(journal)).toThrow(/ESTALE.*events of "tank" before position 5/);
    expect(replay(journal).position).toBe(5);
  });

  it('are let go where another process goes on, if the definition says so', () => {
    const FLEETING = defineEvents({ ...TANK, reopened: () => ({ bytes: 0, by: 'reopened' }) });
    const journal = copyOf(written());
    const memfile = memfileOf(journal);
    const tank = memfile.declare(FLEETING);
    expect(tank.state.by).toBe('reopened');
    expect(tank.at(5).bytes).toBe(3 * 1024 + 12);
    tank.record({ type: 'filled', bytes: 1, by: 'me' });
    const again = memfileOf(copyOf(journal)).declare(FLEETING);
    expect(again.state.by).toBe('reopened');
    const unused = new MemoryJournal();
    memfileOf(unused).createFile('shmem', { size: 1 });
    const copy = copyOf(unused);
    const silent = memfileOf(copy).declare(FLEETING);
    expect([silent.state, silent.at(copy.position)]).toEqual([initial, initial]);
  });

  it('bad input is refused, and leaves state and journal as they were', () => {
    const memfile = memfileOf();
    const STRICT = defineEvents({
      name: 'strict',
      history: EventHistory.first<{ readonly type: 'said'; readonly what: unknown }>(),
      initial: 0,
      evolve(count: number, { what }) {
        if (what === 'no') throw new RangeError('it said no');
        return count + 1;
      },
    });
    const strict = memfile.declare(STRICT);
    expect(() => strict.record({ type: 'said', what: 1n })).toThrow(/EINVAL.*plain data/);
    for (const what of [NaN, new Date(0), [undefined], () => {}, new Map(), Symbol('it')]) {
      expect(() => strict.record({ type: 'said', what })).toThrow(/EINVAL.*plain data/);
    }
    const poisoned = JSON.parse('{"__proto__":{"x":1}}') as object;
    expect(() => strict.record({ type: 'said', what: poisoned })).toThrow(/EINVAL.*prototype/);
    expect(() => strict.record({ type: 'said', what: 'no' })).toThrow('it said no');
    expect(() => strict.record({} as never)).toThrow(/EINVAL.*needs a type/);
    expect(() => strict.record(undefined as never)).toThrow(/EINVAL.*needs a type/);
    expect(memfile.journal.position).toBe(0);
    expect(strict.state).toBe(0);
    expect(() => memfile.declare({ ...STRICT })).toThrow(/EEXIST.*"strict"/);
    expect(() => defineEvents({ ...STRICT, name: '' })).toThrow(/EINVAL.*needs a name/);
    expect(() => replay(memfile.journal).own.of(STRICT)).toThrow(/EINVAL.*not declared/);
  });

  it('what is recorded is what replay reads, whatever becomes of the object', () => {
    const memfile = memfileOf();
    const LAST = defineEvents({
      name: 'last',
      history: EventHistory.first<{ readonly type: 'is'; readonly of: { n: number } }>(),
      initial: { n: 0 },
      evolve: (_: { readonly n: number }, { of }) => of,
    });
    const last = memfile.declare(LAST);
    const mine = { n: 1, not: undefined, deep: [{ zero: -0, nothing: null, on: true }] };
    last.record({ type: 'is', of: mine });
    mine.n = 2;
    mine.deep[0]!.on = false;
    const there = { n: 1, deep: [{ zero: 0, nothing: null, on: true }] };
    expect(last.state).toStrictEqual(there);
    expect(last.at(1)).toStrictEqual(there);
  });

  it('nothing is recorded after the memfile is taken down', async () => {
    const memfile = memfileOf();
    const tank = memfile.declare(TANK);
    await memfile[Symbol.asyncDispose]();
    tank.record({ type: 'emptied', by: 'you' });
    expect(tank.state.by).toBe('');
    expect(memfile.journal.position).toBe(0);
  });
});
