import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SrcuDomain, type SrcuIndex } from '../../core/index.js';
import { allSettled, gate, isPending } from './waiting.js';

const EDEADLK = expect.objectContaining({ code: 'EDEADLK', effect: 'none' });

describe('row 53: SRCU, misused', () => {
  it.each([2, -1, 0.5, '0', undefined])('row 53: unlock with index %s is EINVAL', (index) => {
    const domain = new SrcuDomain('vm');
    const open = domain.readLock();
    expect(() => domain.readUnlock(index as SrcuIndex)).toThrow(
      expect.objectContaining({ code: 'EINVAL', syscall: 'readUnlock' }),
    );
    expect(domain.readers).toBe(1);
    domain.readUnlock(open);
    expect(domain.readers).toBe(0);
  });

  it('row 53: unlock without lock is EINVAL, under either index', () => {
    const domain = new SrcuDomain('vm');
    for (const index of [0, 1] as const) {
      expect(() => domain.readUnlock(index)).toThrow(/EINVAL.*"vm"/);
    }
    domain.readUnlock(domain.readLock());
    expect(() => domain.readUnlock(0)).toThrow('EINVAL');
    expect(domain.readers).toBe(0);
  });

  it('row 53: a named reader that leaves twice has left once', () => {
    const domain = new SrcuDomain();
    const other = domain.readLock();
    const reader = domain.reader('kvm');
    reader.exit();
    reader.exit();
    reader[Symbol.dispose]();
    expect(reader.open).toBe(false);
    expect(domain.readers).toBe(1);
    domain.readUnlock(other);
  });

  it('row 53: synchronize inside its own reader is EDEADLK, through read()', async () => {
    const domain = new SrcuDomain('vm');
    expect(() => domain.read(() => domain.synchronize())).toThrow(EDEADLK);
    expect(domain.readers).toBe(0);
    await expect(domain.synchronize()).resolves.toBeUndefined();
  });

  it('row 53: synchronize inside its own reader is EDEADLK, through a named reader', async () => {
    const domain = new SrcuDomain('vm');
    const reader = domain.reader('kvm');
    const over = domain.synchronize();
    expect(() => reader.waitFor(over)).toThrow(EDEADLK);
    expect(() => reader.waitFor(over)).toThrow(/synchronize of vm.*kvm reading vm/);
    reader.exit();
    await expect(over).resolves.toBeUndefined();
  });

  it('row 53: an inner reader that waits for its outer one is EDEADLK', () => {
    const domain = new SrcuDomain('vm');
    const outer = domain.reader('outer');
    expect(() => domain.read(() => domain.synchronize())).toThrow(EDEADLK);
    outer.exit();
    expect(domain.readers).toBe(0);
  });

  it('row 53: a reader of A that waits for B, and one of B that waits for A, is EDEADLK', async () => {
    const [a, b] = [new SrcuDomain('A'), new SrcuDomain('B')];
    const [ofA, ofB] = [a.reader('one'), b.reader('two')];
    const [overA, overB] = [a.synchronize(), b.synchronize()];
    ofA.waitFor(overB);
    expect(() => ofB.waitFor(overA)).toThrow(EDEADLK);
    ofB.exit();
    await overB;
    ofA.exit();
    await expect(overA).resolves.toBeUndefined();
  });

  it('row 53: a cycle over three domains is EDEADLK, a chain is not', async () => {
    const domains = ['A', 'B', 'C'].map((name) => new SrcuDomain(name));
    const readers = domains.map((domain) => domain.reader('reader'));
    const over = domains.map((domain) => domain.synchronize());
    readers[0]!.waitFor(over[1]!);
    readers[1]!.waitFor(over[2]!);
    expect(() => readers[2]!.waitFor(over[0]!)).toThrow(EDEADLK);
    for (const reader of readers) reader.exit();
    await expect(Promise.all(over)).resolves.toHaveLength(3);
  });

  it('row 53: a body that throws has left its section', async () => {
    const domain = new SrcuDomain();
    const boom = new Error('boom');
    expect(() =>
      domain.read(() => {
        throw boom;
      }),
    ).toThrow(boom);
    await expect(domain.read(() => Promise.reject(boom))).rejects.toBe(boom);
    expect(domain.readers).toBe(0);
  });
});

describe('row 53: SRCU, grace periods', () => {
  it('row 53: synchronize without readers waits for nobody', async () => {
    const domain = new SrcuDomain();
    await expect(domain.synchronize()).resolves.toBeUndefined();
  });

  it('row 53: readers nest, and synchronize waits for both', async () => {
    const domain = new SrcuDomain();
    const outer = domain.readLock();
    const inner = domain.readLock();
    const over = domain.synchronize();
    domain.readUnlock(inner);
    expect(await isPending(over)).toBe(true);
    domain.readUnlock(outer);
    expect(await isPending(over)).toBe(false);
  });

  it('row 53: nested sections may stand under two indices, and may be left in any order', async () => {
    const domain = new SrcuDomain();
    const outer = domain.readLock();
    const over = domain.synchronize();
    const inner = domain.readLock();
    expect(inner).not.toBe(outer);
    domain.readUnlock(outer);
    expect(await isPending(over)).toBe(false);
    domain.readUnlock(inner);
    expect(domain.readers).toBe(0);
  });

  it('row 53: a reader that started after synchronize began is not waited for', async () => {
    const domain = new SrcuDomain();
    const early = domain.readLock();
    const over = domain.synchronize();
    const late = domain.readLock();
    domain.readUnlock(early);
    await expect(over).resolves.toBeUndefined();
    expect(domain.readers).toBe(1);
    domain.readUnlock(late);
  });

  it('row 53: several synchronizers queue, and share the grace period that serves them', async () => {
    const domain = new SrcuDomain();
    const first = domain.readLock();
    const one = domain.synchronize();
    const second = domain.readLock();
    const [two, three] = [domain.synchronize(), domain.synchronize()];
    domain.readUnlock(first);
    expect(await isPending(one)).toBe(false);
    expect(await isPending(two)).toBe(true);
    expect(await isPending(three)).toBe(true);
    domain.readUnlock(second);
    await expect(Promise.all([two, three])).resolves.toHaveLength(2);
  });

  it('row 53: the later synchronizer waits for a reader that the earlier waits for too', async () => {
    const domain = new SrcuDomain();
    const first = domain.readLock();
    const one = domain.synchronize();
    const second = domain.readLock();
    const two = domain.synchronize();
    domain.readUnlock(second);
    expect(await isPending(two)).toBe(true);
    domain.readUnlock(first);
    await expect(Promise.all([one, two])).resolves.toHaveLength(2);
  });

  it('row 53: new readers, one always there, starve no synchronizer', async () => {
    const domain = new SrcuDomain();
    let reader = domain.readLock();
    /** The next reader comes before the last one goes. */
    const handOver = (): void => {
      const next = domain.readLock();
      domain.readUnlock(reader);
      reader = next;
    };
    for (let round = 0; round < 8; round++) {
      const over = domain.synchronize();
      handOver();
      await expect(over).resolves.toBeUndefined();
      expect(domain.readers).toBe(1);
    }
    const queued = [domain.synchronize(), domain.synchronize()];
    handOver();
    handOver();
    await expect(Promise.all(queued)).resolves.toHaveLength(2);
    expect(domain.readers).toBe(1);
    domain.readUnlock(reader);
  });

  it('row 53: read() holds its section until its promise settles, and not longer', async () => {
    const domain = new SrcuDomain();
    expect(domain.read(() => domain.readers)).toBe(1);
    expect(domain.readers).toBe(0);
    const slow = gate();
    const reading = domain.read(() => slow.opened);
    const over = domain.synchronize();
    expect(await isPending(over)).toBe(true);
    slow.open();
    await reading;
    await expect(over).resolves.toBeUndefined();
    expect(domain.readers).toBe(0);
  });

  it('row 53: domains are independent, and waiting for another one is legal', async () => {
    const [a, b] = [new SrcuDomain('A'), new SrcuDomain('B')];
    const reading = b.readLock();
    await expect(a.synchronize()).resolves.toBeUndefined();
    const over = a.read(() => b.synchronize());
    expect(a.readers).toBe(1);
    b.readUnlock(reading);
    await expect(over).resolves.toBeUndefined();
    await expect(a.synchronize()).resolves.toBeUndefined();
    expect(a.readers).toBe(0);
  });

  /** Nobody is let go too early, and nobody is forgotten. */
  it('row 53: a grace period outlasts whoever read before it, and ends when all have left', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ type: 'lock' } as const) },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('unlock' as const), who: fc.nat() }) },
      { weight: 2, arbitrary: fc.constant({ type: 'synchronize' } as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const domain = new SrcuDomain();
        const open = new Map<number, SrcuIndex>();
        const waiting: { before: readonly number[]; over: boolean }[] = [];
        for (const [name, step] of steps.entries()) {
          if (step.type === 'lock') open.set(name, domain.readLock());
          else if (step.type === 'unlock' && open.size > 0) {
            const who = [...open.keys()][step.who % open.size]!;
            domain.readUnlock(open.get(who)!);
            open.delete(who);
          } else if (step.type === 'synchronize') {
            const grace = { before: [...open.keys()], over: false };
            waiting.push(grace);
            void domain.synchronize().then(() => (grace.over = true));
          }
          await allSettled();
          expect(domain.readers).toBe(open.size);
          for (const { before, over } of waiting) {
            if (over) expect(before.filter((reader) => open.has(reader))).toEqual([]);
          }
        }
        for (const index of open.values()) domain.readUnlock(index);
        await allSettled();
        expect(waiting.filter(({ over }) => !over)).toEqual([]);
      }),
    );
  });
});
