import {
  createMemfile,
  defineEvents,
  EventHistory,
  MemoryJournal,
  messageOf,
  type BackingStore,
  type Journal,
  type JournalEvent,
  type Memfile,
  type MemoryFile,
  type OwnEvent,
  type OwnEvents,
  type RecordLevel,
} from '../../core/index.js';
import { isSameEvent } from '../journal-questions/index.js';
import { Puppet } from './puppet.js';
import { Script } from './script.js';

type PluginEvent = Extract<JournalEvent, { readonly type: 'plugin' }>;

/** Where the code as it is now does something else than what was recorded. */
export interface Divergence {
  /** The position in the recording; events of time are not counted. */
  readonly position: number;
  /** Undefined when something happens that was not recorded. */
  readonly recorded: JournalEvent | undefined;
  /** Undefined when what was recorded does not happen. */
  readonly driven: JournalEvent | undefined;
  /** Why it could not be driven, if that is known. */
  readonly why?: string;
}

/**
 * Drives what a journal recorded again: operations are submitted, consumers registered, and made to
 * answer as they did, each when its first event is due. Answers the first event that is not the
 * recorded one, or undefined when all are the same.
 *
 * Takes a recording from its first event, with deliveries: without, nobody knows who answered late.
 */
export async function rerun(
  journal: Journal,
  plugins: () => readonly BackingStore[],
): Promise<Divergence | undefined> {
  return new Rerun(new Script(journal.read(1)), plugins).run();
}

class Rerun {
  readonly #script: Script;
  readonly #plugins: () => readonly BackingStore[];
  readonly #puppets = new Map<number, Puppet>();
  #journal = new MemoryJournal();
  #memfile: Memfile | undefined;
  /** By name: their events are their own doing. */
  #stores: ReadonlySet<string> = new Set();
  readonly #spoken = new Map<string, OwnEvents>();
  /** What went wrong in what was driven last. */
  #why: string | undefined;

  constructor(script: Script, plugins: () => readonly BackingStore[]) {
    this.#script = script;
    this.#plugins = plugins;
  }

  async run(): Promise<Divergence | undefined> {
    const { events } = this.#script;
    for (const [index, recorded] of events.entries()) {
      const position = index + 1;
      if (this.#journal.position < position) {
        this.#why = undefined;
        this.#attempt(() => this.#drive(recorded, index));
        await this.#until(position);
      }
      const driven = this.#event(position);
      if (driven !== undefined && isSameEvent(recorded, driven)) continue;
      const why = this.#why === undefined ? {} : { why: this.#why };
      return { position, recorded, driven, ...why };
    }
    const position = events.length + 1;
    const driven = this.#event(position);
    return driven === undefined ? undefined : { position, recorded: undefined, driven };
  }

  /** Does what has to come before an event can happen. */
  #drive(event: JournalEvent, index: number): void {
    switch (event.type) {
      case 'open':
        this.#open(event.level);
        break;
      case 'plugin':
        if (this.#memfile === undefined) this.#open('state');
        if (!this.#stores.has(event.plugin)) this.#say(event);
        else if (this.#journal.position === index) this.#cause(index);
        break;
      case 'createFile': {
        if (this.#memfile === undefined) this.#open('state');
        const { name, pages: size, flags, seals, options, store } = event;
        this.#memfile!.createFile(store, { ...options, size, name, flags, seals });
        break;
      }
      case 'register':
        this.#register(event);
        break;
      case 'seal':
        this.#submit(this.#file(event.file).addSeals(...event.seals));
        break;
      case 'close':
        this.#submit(this.#file(event.file).close());
        break;
      case 'resize':
      case 'fallocate':
      case 'prepare':
      case 'invalidate':
        this.#operate(event);
        break;
      default:
        this.#act(event, index);
    }
  }

  /** What an adapter recorded: only its program could do what it stands for. */
  #say({ plugin: name, name: type, data, version = 1 }: PluginEvent): void {
    let history = EventHistory.first<OwnEvent>();
    while (history.version < version) history = history.next((event) => event);
    const spoken = this.#spoken.get(name);
    const events =
      spoken ??
      this.#memfile!.declare(defineEvents({ name, history, initial: null, evolve: () => null }));
    this.#spoken.set(name, events);
    events.record({ ...data, type });
  }

  /** What a store says of itself stands before the event that it says it for. */
  #cause(index: number): void {
    let at = index;
    while (this.#script.events[at]?.type === 'plugin') at++;
    const next = this.#script.events[at];
    const begins = next?.type === 'createFile' || next?.type === 'fallocate';
    if (begins) this.#drive(next, at);
  }

  /** What consumers do, of themselves; false when the event is not of that kind. */
  #act(event: JournalEvent, index: number): boolean {
    if (!('registration' in event)) return false;
    const puppet = this.#puppets.get(event.registration);
    if (puppet === undefined) return false;
    switch (event.type) {
      case 'lookup':
        puppet.lookUp(event.offset);
        return true;
      case 'put':
        puppet.put(event.pfn);
        return true;
      case 'left':
      case 'unregister':
      case 'evict':
        if (event.type === 'evict' || this.#script.isEvicted(event.registration, index)) {
          puppet.registration?.evict();
        } else puppet.registration?.unsubscribe();
        return true;
      case 'answer':
        if (event.outcome === 'waits') return false;
        return puppet.finish(event.operation, event.callback);
      case 'failure':
        if (event.callback === 'observer') return false;
        return puppet.fail(event.operation, event.callback, event.message);
      default:
        return false;
    }
  }

  /** Within a callback: what consumers did in it comes before the pass goes on. */
  readonly #meanwhile = ({ id }: Puppet): void => {
    for (;;) {
      const index = this.#journal.position;
      const next = this.#script.events[index];
      if (next === undefined) return;
      const leaves = next.type === 'left' || next.type === 'unregister' || next.type === 'evict';
      if (!leaves && next.type !== 'lookup' && next.type !== 'put') return;
      // Whoever leaves amid its own callback has a grace period; without one it left afterwards.
      if (leaves && next.registration === id && !this.#script.outlives(id)) return;
      this.#attempt(() => this.#act(next, index));
      if (this.#journal.position === index) return;
    }
  };

  #register(event: Extract<JournalEvent, { readonly type: 'register' }>): void {
    const { registration: id, file, name, start, end, access = 'both' } = event;
    const operation = (): number => this.#operationAt(this.#journal.position);
    const puppet = new Puppet(id, this.#script, operation, this.#meanwhile);
    this.#puppets.set(id, puppet);
    const replay = this.#script.isReplayedTo(id);
    const registering = this.#file(file).register(puppet.notifier, {
      range: { start, end },
      name,
      replay,
      access,
    });
    this.#submit(registering.then((registration) => void (puppet.registration = registration)));
  }

  #operate(
    event: Extract<
      JournalEvent,
      { readonly type: 'resize' | 'fallocate' | 'prepare' | 'invalidate' }
    >,
  ): void {
    const file = this.#file(event.file);
    const { start, end, pages, arrives } = this.#script.outline(event.operation);
    if (arrives && event.type !== 'invalidate') {
      const reason = 'reason' in event ? event.reason : this.#reasonOf(event.operation);
      const last = pages === undefined ? end : Math.max(end, pages);
      this.#submit(file.fallocate(start, last, { keepSize: pages === undefined, reason }));
    } else if (event.type === 'resize') {
      this.#submit(file.truncate(event.pages, { reason: this.#reasonOf(event.operation) }));
    } else if (event.type === 'invalidate') {
      const { reason } = event;
      if (reason === 'close') this.#submit(file.close());
      else if (reason === 'truncate') this.#submit(file.truncate(event.start));
      else this.#submit(file.punchHole(event.start, event.end, { reason }));
    }
  }

  #reasonOf(operation: number) {
    for (const event of this.#script.events) {
      if ('operation' in event && event.operation === operation && 'reason' in event) {
        return event.reason;
      }
    }
    return undefined;
  }

  /** A process begins, or another one goes on. */
  #open(level: RecordLevel): void {
    const before = this.#journal;
    this.#journal = new MemoryJournal();
    for (const { position: _, ...event } of before.read(1)) {
      this.#journal.append(event as JournalEvent);
    }
    this.#puppets.clear();
    this.#spoken.clear();
    const record = level === 'full' ? 'deliveries' : level;
    const plugins = this.#plugins();
    this.#stores = new Set(plugins.map(({ name }) => name));
    this.#memfile = createMemfile({
      plugins,
      journal: this.#journal,
      record,
    }) as unknown as Memfile;
  }

  /** The operation whose event is being told: the last one recorded that is no consumer's doing. */
  #operationAt(position: number): number {
    for (let at = position; at > 0; at--) {
      const event = this.#event(at)!;
      if ('operation' in event && event.type !== 'failure' && event.type !== 'left') {
        return event.operation;
      }
    }
    return 0;
  }

  #event(position: number): JournalEvent | undefined {
    const [event] = this.#journal.read(position, position + 1);
    if (event === undefined) return undefined;
    const { position: _, ...rest } = event;
    return rest as JournalEvent;
  }

  #file(id: number): MemoryFile {
    const file = this.#memfile?.files.get(id);
    if (file === undefined) throw new RangeError(`there is no file ${id}`);
    return file;
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#why = messageOf(error);
    }
  }

  /** An operation that fails as it did is no failure of the rerun. */
  #submit(operation: Promise<unknown>): void {
    operation.catch((error: unknown) => (this.#why = messageOf(error)));
  }

  /** Lets things take their course until there is an event at `position`, or nothing moves. */
  async #until(position: number): Promise<void> {
    for (let turn = 0; turn < 32 && this.#journal.position < position; turn++) {
      await Promise.resolve();
    }
    if (this.#journal.position < position) await new Promise((resolve) => setImmediate(resolve));
  }
}
