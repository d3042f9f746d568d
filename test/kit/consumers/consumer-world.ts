import type { Witness } from '../../../adapters/witness.js';
import {
  createMemfile,
  MemfileError,
  type BackingStore,
  type Memfile,
  type MemoryFile,
  type Scheduler,
} from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { LawModel } from '../../model/index.js';
import { FILE_PAGES, type ConsumerProgram, type ConsumerStep } from './consumer-program.js';
import type { Finding } from '../finding.js';
import { HostileConsumer } from './hostile-consumers.js';
import { ManualScheduler } from '../tools/manual-scheduler.js';
import { overriding } from '../overriding.js';
import { settle, take } from '../small.js';
import { Usage } from './usage.js';
import { VirtualClock } from '../tools/virtual-clock.js';
import { WatchedStore } from '../stores/watched-store.js';

/** A consumer as the kit sees it. */
export interface TestedConsumer extends AsyncDisposable {
  /**
   * Uses the pages `[start, end)` of the file as it does in its work, and brings them if it needs
   * to. Whether it gets all of them is its own affair.
   */
  touch(start: number, end: number): Promise<unknown>;
  /** The frame by which it uses a page at this moment; -1 or undefined when it uses none. */
  frameOf?(page: number): number | undefined;
}

/** What a consumer may make use of, beside its file. */
export interface ConsumerSetting {
  /** Told by the consumer of all that it is told and looks up, it watches the laws. */
  readonly witness: Witness;
  /** When to go on, for consumers that suspend by a scheduler. */
  readonly scheduler: Scheduler;
}

export type ConsumerFactory = (
  file: MemoryFile,
  setting: ConsumerSetting,
) => TestedConsumer | Promise<TestedConsumer>;

/** Something that was begun and has an end. */
interface Pending {
  readonly what: string;
  over: boolean;
}

/** One consumer on a file of its own, hostile neighbours, and the books of what it uses. */
export class ConsumerWorld {
  readonly broken: Finding[] = [];
  /** Whether the consumer tells the witness anything. */
  witnessed = false;
  readonly #store = new WatchedStore(neverTwice(shmem()));
  readonly #scheduler = new ManualScheduler();
  readonly #clock = new VirtualClock();
  readonly #model = new LawModel();
  readonly #memfile: Memfile = createMemfile({
    plugins: [this.#store.store],
    scheduler: this.#scheduler,
    clock: this.#clock,
  });
  readonly #file = this.#memfile.createFile('shmem', { size: FILE_PAGES, name: 'ram' });
  readonly #neighbours: HostileConsumer[] = [];
  readonly #pending: Pending[] = [];
  #consumer!: TestedConsumer;
  #ended = false;
  /** Then it counts as failed, whatever it does. */
  #evicted = false;
  readonly #usage = new Usage(this.#memfile, this.#file, this.#store, {
    frameOf: (page) => this.#consumer.frameOf?.(page),
    isNeighbour,
    breaks: (law, detail) => this.#breaks(law, detail),
  });

  /** Runs a program to its end; answers what was broken, by law. */
  async run({ before, steps }: ConsumerProgram, factory: ConsumerFactory): Promise<Finding[]> {
    if (before !== undefined) await this.#file.fallocate(before.start, before.end);
    const witness: Witness = {
      consumer: (name, file) => {
        this.witnessed = true;
        return this.#model.consumer(name, file);
      },
    };
    const coming = Promise.resolve(
      factory(this.#file, { witness, scheduler: this.#scheduler }),
    ).then((consumer) => (this.#consumer = consumer));
    this.#follow('the coming of the consumer', coming);
    await this.#drain();
    if (this.#pending[0]!.over !== true) {
      return [{ law: 1, detail: 'the coming of the consumer never ended' }];
    }
    await coming;
    this.#usage.watch();
    for (const step of steps) {
      this.#take(step);
      await settle();
      this.#usage.look();
    }
    await this.#drain();
    this.#usage.look();
    await this.#end();
    return [...this.broken, ...this.#model.finish()];
  }

  #take(step: ConsumerStep): void {
    const file = this.#file;
    switch (step.do) {
      case 'touch': {
        const what = `touch of [${step.start}, ${step.end})`;
        this.#follow(what, this.#consumer.touch(step.start, step.end));
        break;
      }
      case 'fallocate':
        this.#follow('fallocate', file.fallocate(step.start, step.end));
        break;
      case 'punch': {
        const what = `punch of [${step.start}, ${step.end})`;
        this.#follow(what, file.punchHole(step.start, step.end));
        break;
      }
      case 'convert': {
        const { start, end, to, content } = step;
        this.#follow(`convert of [${start}, ${end})`, file.convert(start, end, to, { content }));
        break;
      }
      case 'poison':
        this.#follow(`poison of page ${step.page}`, file.poison(step.page));
        break;
      case 'truncate':
        this.#follow('truncate', file.truncate(step.pages));
        break;
      case 'neighbour': {
        const name = `neighbour ${this.#neighbours.length + 1}`;
        const coming = HostileConsumer.register(file, step.hostility, { name });
        this.#follow(
          name,
          coming.then((neighbour) => this.#neighbours.push(neighbour)),
        );
        break;
      }
      case 'release':
        for (const neighbour of this.#neighbours) neighbour.release();
        break;
      case 'resume':
        take(this.#scheduler.suspended, step.which)?.();
        break;
      case 'evict':
        this.#evicted = true;
        for (const one of file.consumers()) if (!isNeighbour(one.name)) one.evict();
        break;
      case 'end':
        this.#endConsumer();
        break;
      case 'close':
        this.#follow('close', file.close());
        break;
    }
  }

  /** Waits for nothing; whether it ends is seen when everything was let go on. */
  #follow(what: string, promise: Promise<unknown>): void {
    const pending: Pending = { what, over: false };
    this.#pending.push(pending);
    promise.then(
      () => (pending.over = true),
      (error: unknown) => {
        pending.over = true;
        if (error instanceof MemfileError) return;
        this.#breaks(11, `${what} rejects with ${String(error)}, which is no MemfileError`);
      },
    );
  }

  #endConsumer(): void {
    this.#ended = true;
    this.#follow('the end of the consumer', Promise.resolve(this.#consumer[Symbol.asyncDispose]()));
  }

  /** Lets everything go on until nothing moves any more. */
  async #drain(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      await settle();
      const next = this.#scheduler.suspended.shift();
      for (const neighbour of this.#neighbours) neighbour.release();
      quiet = next === undefined ? quiet + 1 : 0;
      next?.();
    }
  }

  async #end(): Promise<void> {
    if (!this.#ended) this.#endConsumer();
    await this.#drain();
    for (const { what, over } of this.#pending) {
      if (!over) this.#breaks(1, `${what} never ended`);
    }
    this.#gone();
    this.#endConsumer();
    this.#follow('a touch after the end', this.#consumer.touch(0, 1));
    await this.#drain();
    for (const { what, over } of this.#pending.slice(-2)) {
      if (!over) this.#breaks(12, `the consumer has ended; ${what} again never ended`);
    }
    this.#gone();
    this.#follow('teardown', this.#teardown());
    for (let round = 0; round < 4; round++) {
      await this.#drain();
      this.#clock.advance(5000);
    }
    if (this.#pending.at(-1)?.over !== true) this.#breaks(12, 'teardown never ended');
  }

  async #teardown(): Promise<void> {
    try {
      await this.#memfile[Symbol.asyncDispose]();
    } catch (error) {
      const failures = error instanceof AggregateError ? error.errors : [error];
      for (const failure of failures) {
        // A neighbour may well fail in the end.
        if (!/neighbour \d+/.test(String(failure)))
          this.#breaks(12, `teardown: ${String(failure)}`);
      }
    }
  }

  /** The consumer has ended: nothing of it is left. */
  #gone(): void {
    const { registrations, leases } = this.#memfile.state.toJSON();
    for (const { name } of registrations) {
      if (!isNeighbour(name)) this.#breaks(6, `the consumer has ended, "${name}" is registered`);
    }
    for (const { owner, offset, pfn } of leases) {
      const what = `"${owner}" holds a lease of frame ${pfn}, page ${offset}`;
      this.#breaks(9, `the consumer has ended, ${what}`);
    }
    this.#usage.over();
    for (const event of this.#memfile.journal.read(1)) {
      if (event.type !== 'failure' || event.callback === 'prepare') continue;
      const { name } = this.#nameOf(event.registration);
      if (!isNeighbour(name) && !this.#evicted)
        this.#breaks(2, `"${name}" failed in ${event.callback}: ${event.message}`);
    }
  }

  #nameOf(registration: number): { readonly name: string } {
    for (const event of this.#memfile.journal.read(1)) {
      if (event.type === 'register' && event.registration === registration) return event;
    }
    return { name: 'nobody' };
  }

  #breaks(law: number, detail: string): void {
    this.broken.push({ law, detail });
  }
}

/** Holds on to every frame, so that a stale one is known by its number. */
function neverTwice(store: BackingStore): BackingStore {
  return overriding(store, {
    createFile(spec) {
      const inner = store.createFile(spec);
      return overriding(inner, {
        allocate(start, end) {
          const allocation = inner.allocate(start, end);
          for (const { start, end } of allocation.runs) {
            for (let page = start; page < end; page++) inner.getLockPfn(page);
          }
          return allocation;
        },
      });
    },
  });
}

function isNeighbour(name: string): boolean {
  return /^neighbour \d+$/.test(name);
}
