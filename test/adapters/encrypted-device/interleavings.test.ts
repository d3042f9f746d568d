import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  EncryptedDevice,
  type DeviceAttachment,
} from '../../../adapters/encrypted-device/index.js';
import {
  createMemfile,
  MemfileError,
  type Access,
  type Registration,
} from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { settle } from '../../kit/small.js';
import { Gate, keys, PAGE } from './set-up.js';

const PAGES = 12;
const BLOCK = 16;
/** Blocks of a page that programs write. */
const BLOCKS = 4;
const SEED = Number(process.env['MEMFILE_SEED'] ?? 8);
const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 600);

const page = fc.nat(PAGES - 1);
const range = fc
  .tuple(page, page)
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) + 1 }));
const device = fc.nat(2);

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fallocate' as const), range }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('punch' as const), range }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('convert' as const),
      range,
      to: fc.constantFrom('private' as const, 'shared' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      device,
      page,
      block: fc.nat(BLOCKS - 1),
      value: fc.integer({ min: 1, max: 255 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('life' as const),
      device,
      how: fc.constantFrom('changeKey', 'reset', 'stop', 'fail', 'lock', 'start', 'lock', 'start'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reattach' as const), device }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), held: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('go' as const), which: fc.nat(7) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A block of a page, as whoever wrote it last knows it. */
interface Written {
  readonly by: Actor;
  /** How many keys it had had by then. */
  readonly generation: number;
  readonly value: number;
}

interface Actor {
  readonly device: EncryptedDevice;
  readonly access: Access;
  attachment: DeviceAttachment | undefined;
  generation: number;
}

const seen = { own: 0, noise: 0, pinned: 0, full: 0, dropped: 0, converted: 0, late: 0 };

/** A file, three devices, and what the devices wrote: kept here by operation and nothing else. */
class World {
  readonly memfile = createMemfile({ plugins: [shmem()] });
  readonly file = this.memfile.createFile('shmem', { size: PAGES, name: 'ram' });
  readonly gate = new Gate();
  readonly actors: readonly Actor[];
  readonly written = new Map<string, Written>();
  readonly wrong: string[] = [];
  readonly open = new Set<Promise<unknown>>();
  watcher!: Registration;

  constructor() {
    const kinds = [
      { access: 'both', limit: 2, pins: false },
      { access: 'private', limit: 100, pins: false },
      { access: 'shared', limit: 100, pins: true },
    ] as const;
    this.actors = kinds.map((kind, i) => {
      const name = `device ${i}`;
      const device = new EncryptedDevice({ ...kind, name, key: keys(1 + i), scheduler: this.gate });
      return { device, access: kind.access, attachment: undefined, generation: 0 };
    });
  }

  async begin(): Promise<void> {
    this.watcher = await this.file.register({ name: 'watcher' });
    for (const actor of this.actors) {
      actor.attachment = await actor.device.attach(this.file, { range: { start: 0, end: PAGES } });
      await actor.device.lock();
      await actor.device.start();
    }
  }

  /** Goes on without waiting; `then` when it went well. */
  submit(operation: Promise<unknown>, then: () => void = () => {}): void {
    const over = operation.then(then, (error: unknown) => {
      if (!(error instanceof MemfileError) || error.code === 'EIO') this.wrong.push(String(error));
      else if (error.code === 'ENOSPC') seen.full++;
      else if (error.code === 'EAGAIN' && error.syscall !== 'start') {
        seen.pinned++;
        const { consumer = '', holders = [], page = -1 } = error.refused ?? {};
        const held = error.message.includes('pinned') || holders.includes(consumer);
        const named = consumer === 'device 2' && page >= 0 && page < PAGES;
        if (!named || !held) this.wrong.push(`refused by ${consumer}: ${error.message}`);
      }
    });
    this.open.add(over);
    void over.finally(() => this.open.delete(over));
  }

  take(step: Step): void {
    const { file, gate } = this;
    switch (step.do) {
      case 'fallocate':
        this.submit(file.fallocate(step.range.start, step.range.end));
        return;
      case 'punch':
        this.submit(file.punchHole(step.range.start, step.range.end), () => {
          for (const key of this.written.keys()) {
            const of = Number(key.split(' ')[0]);
            if (of >= step.range.start && of < step.range.end) this.written.delete(key);
          }
        });
        return;
      case 'convert':
        this.submit(file.convert(step.range.start, step.range.end, step.to), () => {
          seen.converted++;
        });
        return;
      case 'write': {
        const by = this.actors[step.device]!;
        const address = step.page * PAGE + step.block * BLOCK;
        const data = new Uint8Array(BLOCK).fill(step.value);
        const { held } = gate;
        this.submit(by.device.write(address, data), () => {
          if (held) seen.late++;
          const { generation } = by;
          this.written.set(`${step.page} ${step.block}`, { by, generation, value: step.value });
        });
        return;
      }
      case 'life': {
        const actor = this.actors[step.device]!;
        const how = step.how as 'changeKey' | 'reset' | 'stop' | 'fail' | 'lock' | 'start';
        const newKey = how === 'changeKey' || how === 'reset';
        this.submit(actor.device[how](), () => {
          if (newKey) actor.generation++;
        });
        return;
      }
      case 'reattach': {
        const actor = this.actors[step.device]!;
        const { attachment } = actor;
        if (attachment === undefined) return;
        actor.attachment = undefined;
        const again = async (): Promise<void> => {
          await attachment[Symbol.asyncDispose]();
          const range = { start: 0, end: PAGES };
          actor.attachment = await actor.device.attach(this.file, { range });
        };
        this.submit(again());
        return;
      }
      case 'hold':
        gate.held = step.held;
        return;
      case 'go':
        gate.waiting.splice(step.which % Math.max(1, gate.waiting.length), 1)[0]?.go();
    }
  }

  /** The frame of a page, or -1; asked of somebody who is no device. */
  frame(page: number): number {
    try {
      using lease = this.watcher.lookup(page);
      return lease.pfn;
    } catch {
      return -1;
    }
  }

  /** What holds at every moment: what is mapped is there, of the right side, and within the budget. */
  check(): void {
    for (const { device, access } of this.actors) {
      const { table, name } = device;
      if (table.used > table.limit) this.wrong.push(`${name} uses ${table.used} mappings`);
      if (!device.running && table.pages > 0) this.wrong.push(`${name} maps in ${device.state}`);
      for (const { start, end } of table.ranges()) {
        for (let page = start; page < end; page++) {
          if (table.translate(page) !== this.frame(page)) {
            this.wrong.push(`${name} maps page ${page} to ${table.translate(page)}`);
          }
          const side = this.file.privatePages(page, page + 1).length > 0 ? 'private' : 'shared';
          if (access !== 'both' && access !== side) {
            this.wrong.push(`${name} maps page ${page}, which is ${side}`);
          }
        }
      }
    }
  }

  /** Nothing goes on any more: everything is mapped, and everybody reads what it wrote and no more. */
  async checkQuiet(): Promise<void> {
    for (const actor of this.actors) {
      const { device, access } = actor;
      const { table, name } = device;
      const usable = device.running ? this.file.populated(0, PAGES, access) : [];
      const complete = JSON.stringify(table.ranges()) === JSON.stringify(usable);
      if (table.limit > PAGES && actor.attachment !== undefined && !complete) {
        this.wrong.push(`${name} maps ${JSON.stringify(table.ranges())}`);
      }
      if (table.used !== table.entries) this.wrong.push(`${name} was promised what never came`);
      seen.dropped += table.droppedPages;
      const leases = this.leasesOf(name);
      const wanted = device.pins ? table.pages : 0;
      if (leases !== wanted) this.wrong.push(`${name} has ${leases} leases, not ${wanted}`);
      for (let page = 0; page < PAGES; page++) {
        if (table.translate(page) >= 0) await this.read(actor, page);
      }
    }
    this.checkCiphertext();
  }

  async read(actor: Actor, page: number): Promise<void> {
    const bytes = await actor.device.read(page * PAGE, BLOCKS * BLOCK);
    for (let block = 0; block < BLOCKS; block++) {
      const known = this.written.get(`${page} ${block}`);
      if (known === undefined) continue;
      const here = bytes.subarray(block * BLOCK, (block + 1) * BLOCK);
      const same = here.every((byte) => byte === known.value);
      const own = known.by === actor && known.generation === actor.generation;
      if (own) seen.own++;
      else seen.noise++;
      if (same === own) continue;
      this.wrong.push(
        `${actor.device.name} reads ${same ? 'what is not its' : 'noise'} in ${page}`,
      );
    }
  }

  /** What is in the file is zero where nobody wrote since the page came, and never plain text. */
  checkCiphertext(): void {
    for (const { start, end } of this.file.populated()) {
      for (let page = start; page < end; page++) {
        using lease = this.watcher.lookup(page);
        for (let block = 0; block < BLOCKS; block++) {
          const here = lease.bytes().subarray(block * BLOCK, (block + 1) * BLOCK);
          const zero = here.every((byte) => byte === 0);
          const plain = here.every((byte) => byte === here[0]);
          const known = this.written.has(`${page} ${block}`);
          if (known === zero || (known && plain))
            this.wrong.push(`page ${page} shows its contents`);
        }
      }
    }
  }

  leasesOf(name: string): number {
    const all = [...this.memfile.state.registrations.values()];
    return all.reduce((sum, one) => sum + (one.name === name ? one.leases.size : 0), 0);
  }

  async quiet(): Promise<void> {
    this.gate.held = false;
    while (this.open.size > 0) {
      this.gate.release();
      await settle();
    }
  }
}

async function run(steps: readonly Step[]): Promise<readonly string[]> {
  const world = new World();
  await world.begin();
  for (const step of steps) {
    world.take(step);
    await settle();
    world.check();
  }
  await world.quiet();
  await world.checkQuiet();
  for (const { device } of world.actors) await device[Symbol.asyncDispose]();
  for (const { device } of world.actors) {
    const left = world.leasesOf(device.name) + device.table.pages;
    if (left > 0) world.wrong.push(`${device.name} leaves ${left} behind`);
  }
  if (world.file.registrations !== 1) world.wrong.push('a device has not left');
  const { memfile } = world;
  if (JSON.stringify(memfile.replay()) !== JSON.stringify(memfile.state)) {
    world.wrong.push('the replay is not what is live');
  }
  await memfile[Symbol.asyncDispose]();
  return world.wrong;
}

it(`DMA, punches, conversions, keys and states in any order (${RUNS} programs, seed ${SEED})`, async () => {
  const programs = fc.array(step, { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(programs, async (steps) => {
      const wrong = await run(steps);
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  // Every case has been met, or this says little.
  for (const [what, times] of Object.entries(seen))
    expect({ what, met: times > 5 }).toEqual({ what, met: true });
}, 60_000);
