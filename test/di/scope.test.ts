import 'reflect-metadata';
import { container as globalContainer, inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { JOURNAL, Journal, MemoryFiles, type MemoryFile } from '../../core/index.js';
import { VirtualClock } from '../kit/tools/virtual-clock.js';
import { Scope } from '../../core/scope.js';
import { scoped } from './set-up.js';

const RAM = Symbol('the RAM of a VM');
const log: string[] = [];

/** One for all VMs. */
@injectable()
class Host implements Disposable {
  readonly journal: Journal;
  readonly scope: Scope;

  constructor(@inject(JOURNAL) journal: Journal, scope: Scope) {
    this.journal = journal;
    this.scope = scope;
  }

  [Symbol.dispose](): void {
    log.push('host');
  }
}

/** One for each VM; it counts what leaves its RAM. */
@injectable()
class Balloon implements AsyncDisposable {
  readonly host: Host;
  readonly ram: MemoryFile;
  readonly scope: Scope;
  left = 0;
  readonly #cancel = new AbortController();

  constructor(host: Host, @inject(RAM) ram: MemoryFile, scope: Scope) {
    this.host = host;
    this.ram = ram;
    this.scope = scope;
    ram.notifications$({ signal: this.#cancel.signal }).subscribe((told) => {
      if (told.type === 'invalidateEnd') this.left += told.end - told.start;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel.abort();
    // A part may still use the memfile.
    await this.ram.punchHole(0, 1);
    log.push(`balloon of ${this.scope.name}`);
  }
}

@injectable()
class Guest {
  readonly balloon: Balloon;
  readonly files: MemoryFiles;

  constructor(balloon: Balloon, files: MemoryFiles) {
    this.balloon = balloon;
    this.files = files;
  }
}

const startVm = (scope: Scope, files: MemoryFiles, name: string): Guest => {
  const vm = scope.createScope(name);
  vm.container.register(RAM, { useValue: files.create('shmem', { size: 8, name }) });
  vm.provide(Balloon).provide(Guest);
  return vm.container.resolve(Guest);
};

describe('a scope for each VM', () => {
  it('has parts of its own, and shares those of the memfile', async () => {
    const { memfile, scope, takeDown } = scoped();
    scope.provide(Host);
    const [a, b] = ['a', 'b'].map((name) => startVm(scope, memfile.files, name));
    expect(a!.balloon.ram.name).toBe('a');
    expect(b!.balloon.ram.name).toBe('b');
    expect(a!.balloon).not.toBe(b!.balloon);
    expect(a!.balloon.scope.container.resolve(Guest)).toBe(a);
    expect(a!.balloon.host).toBe(b!.balloon.host);
    expect(a!.files).toBe(memfile.files);
    // Made for the first VM, yet it has the parts of the memfile.
    expect(a!.balloon.host.scope).toBe(scope);
    await a!.balloon.ram.fallocate(0, 8);
    await a!.balloon.ram.punchHole(2, 5);
    expect([a!.balloon.left, b!.balloon.left]).toEqual([3, 0]);
    await takeDown();
  });

  it('goes with the memfile, children first, or alone before', async () => {
    const { memfile, scope, takeDown } = scoped(() => log.push('store'));
    scope.provide(Host);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => startVm(scope, memfile.files, name));
    log.length = 0;
    await b!.balloon.scope[Symbol.asyncDispose]();
    expect(log).toEqual(['balloon of b']);
    expect(b!.balloon.ram.registrations).toBe(0);
    await takeDown();
    expect(log).toEqual(['balloon of b', 'balloon of c', 'balloon of a', 'host', 'store']);
    expect([a, c].map((guest) => guest!.balloon.scope.disposed)).toEqual([true, true]);
  });

  it('leaves nothing in the global container', async () => {
    const { memfile, scope, takeDown } = scoped();
    scope.provide(Host);
    startVm(scope, memfile.files, 'a');
    for (const token of [Host, Balloon, Guest, Scope, MemoryFiles, Journal, RAM]) {
      expect(globalContainer.isRegistered(token as never)).toBe(false);
    }
    expect(memfile.container.isRegistered(Balloon)).toBe(false);
    await takeDown();
  });

  it('is refused to who comes too late, and to what has no end', async () => {
    const { scope, takeDown } = scoped();
    expect(() => scope.own({} as Disposable)).toThrow(/EINVAL.*Symbol.asyncDispose/);
    await takeDown();
    expect(() => scope.own({ [Symbol.dispose]() {} })).toThrow(/EBADF.*"memfile"/);
    expect(() => scope.createScope('vm')).toThrow(/EBADF/);
    expect(() => scope.provide(Host)).toThrow(/EBADF/);
    await scope[Symbol.asyncDispose]();
  });

  it('gives up who does not end by the deadline, names it, and goes on', async () => {
    const clock = new VirtualClock();
    const { scope, takeDown } = scoped(() => log.push('store'), { clock, deadlineMs: 300 });
    class Stuck {
      [Symbol.asyncDispose](): Promise<void> {
        return new Promise(() => {});
      }
    }
    log.length = 0;
    scope.own({ [Symbol.dispose]: () => void log.push('before it') });
    scope.createScope('vm').own(new Stuck());
    let over = false;
    const teardown = takeDown().finally(() => (over = true));
    const reported = expect(teardown).rejects.toThrow(/EBUSY.*Stuck was not over within 300 ms/);
    clock.advance(299);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(over).toBe(false);
    clock.advance(1);
    await reported;
    expect(log).toEqual(['before it', 'store']);
    expect(clock.pending).toBe(0);
  });
});
