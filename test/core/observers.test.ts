import { firstValueFrom, map, Subject, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  type MemfileError,
  type Notification,
  type RegisterOptions,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  await file.fallocate(0, 8);
  return { memfile, file };
};

const brief = (told: Notification): string =>
  told.type === 'snapshot' ? 'snapshot' : `${told.type} ${told.start} ${told.end}`;

describe('a registration as an RxJS subject', () => {
  it('is one, and tells observers after its callbacks, clipped', async () => {
    const { file } = await setUp();
    const told: string[] = [];
    const registration = await file.register(
      { invalidate: (start, end) => void told.push(`callback ${start} ${end}`) },
      { range: { start: 2, end: 6 } },
    );
    expect(registration).toBeInstanceOf(Subject);
    registration.subscribe((notification) => told.push(brief(notification)));
    await file.punchHole(0, 4);
    expect(told).toEqual(['callback 2 4', 'invalidate 2 4', 'invalidateEnd 2 4']);
  });

  it('honours waitUntil and promises of a direct observer, and sees what it throws', async () => {
    const { file, memfile } = await setUp();
    const registration = await file.register({ name: 'dma' });
    let letGo = (): void => {};
    const subscription = registration.subscribe({
      next(told) {
        if (told.type !== 'invalidate') return;
        told.waitUntil(new Promise<void>((resolve) => (letGo = resolve)));
      },
    });
    let over = false;
    const punch = file.punchHole(0, 1).then(() => (over = true));
    await Promise.resolve();
    expect({ over, populated: file.populated()[0]?.start }).toEqual({ over: false, populated: 0 });
    letGo();
    await punch;
    subscription.unsubscribe();
    registration.subscribe({
      async next(told) {
        if (told.type === 'invalidate') throw new Error('the IOMMU is on fire');
      },
    });
    await expect(file.punchHole(1, 2)).rejects.toMatchObject({
      code: 'EIO',
      effect: 'done',
      message: expect.stringMatching(/"dma" failed in invalidate \[1, 2\).*on fire/),
    });
    expect(memfile.state.quarantined).toMatchObject([{ start: 1, end: 2 }]);
  });

  it('is watched behind pipe(): sees everything, holds nothing, hurts nobody', async () => {
    const { file, memfile } = await setUp();
    const registration = await file.register({});
    const seen: string[] = [];
    const codes: string[] = [];
    registration.pipe(map((told) => told)).subscribe({
      next(told) {
        seen.push(brief(told));
        try {
          if (told.type !== 'snapshot') told.waitUntil(new Promise(() => {}));
        } catch (error) {
          codes.push((error as MemfileError).code);
        }
      },
    });
    registration
      .pipe(
        map(() => {
          throw new Error('a watcher fails');
        }),
      )
      .subscribe({ error: (error: Error) => codes.push(error.message) });
    await file.punchHole(0, 1);
    expect(seen).toEqual(['invalidate 0 1', 'invalidateEnd 0 1']);
    expect(codes).toEqual(['EINVAL', 'a watcher fails', 'EINVAL']);
    expect(memfile.state.quarantined).toEqual([]);
  });

  it('gives an observer that joins amid an invalidation no end without a begin', async () => {
    const { file } = await setUp();
    const registration = await file.register({});
    const late: string[] = [];
    let letGo = (): void => {};
    registration.subscribe((told) => {
      if (told.type !== 'invalidate') return;
      registration.subscribe((notification) => late.push(brief(notification)));
      told.waitUntil(new Promise<void>((resolve) => (letGo = resolve)));
    });
    const punch = file.punchHole(0, 1);
    letGo();
    await punch;
    expect(late).toEqual([]);
    await file.fallocate(0, 1);
    expect(late).toEqual(['fallocate 0 1']);
  });

  it('completes when its file is closed, and takes nothing from anybody else', async () => {
    const { file } = await setUp();
    const registration = await file.register({});
    let completed = 0;
    registration.subscribe({ complete: () => completed++ });
    const forged: Notification = { type: 'snapshot', ranges: [], position: 0 };
    expect(() => registration.next(forged)).toThrow('EPERM');
    await file.close();
    await registration.closed;
    expect(completed).toBe(1);
  });

  it('takes late waitUntil for the mistake that it is', async () => {
    const { file } = await setUp();
    let late: () => void = () => {};
    await file.register({
      invalidate: (_start, _end, event) => {
        late = () => event.waitUntil(Promise.resolve());
      },
    });
    await file.punchHole(0, 1);
    expect(late).toThrow(/EINVAL.*synchronous part/);
  });
});

describe('notifications$', () => {
  it('is cold: registers with each subscription, and starts with a snapshot', async () => {
    const { file } = await setUp();
    const stream = file.notifications$({ range: { start: 4, end: 12 } });
    expect(file.registrations).toBe(0);
    const got = firstValueFrom(stream.pipe(take(3), map(brief), toArray()));
    expect(file.registrations).toBe(1);
    await file.fallocate(8, 16);
    await file.punchHole(0, 6);
    expect(await got).toEqual(['snapshot', 'fallocate 8 12', 'invalidate 4 6']);
    expect(file.registrations).toBe(0);
  });

  it('errors when it cannot register, and ends with its signal', async () => {
    const { file } = await setUp();
    const errors: string[] = [];
    const bad = file.notifications$({ range: { start: 3, end: 3 } });
    bad.subscribe({ error: (error: MemfileError) => errors.push(error.code) });
    await Promise.resolve();
    expect(errors).toEqual(['EINVAL']);
    const cancel = new AbortController();
    const told: string[] = [];
    file.notifications$({ signal: cancel.signal }).subscribe({
      next: (notification) => told.push(brief(notification)),
      complete: () => told.push('complete'),
    });
    cancel.abort();
    await file.punchHole(0, 1);
    expect(told).toEqual(['snapshot', 'complete']);
    expect(file.registrations).toBe(0);
  });

  it('for await: an item holds its operation until the loop asks for the next', async () => {
    const { file } = await setUp();
    const order: string[] = [];
    let punch: Promise<unknown> | undefined;
    for await (const told of file.notifications$()) {
      order.push(brief(told));
      if (told.type === 'snapshot') {
        punch = file.punchHole(0, 2).then(() => order.push('punched'));
        continue;
      }
      await Promise.resolve();
      order.push('worked');
      if (told.type === 'invalidateEnd') break;
    }
    await punch;
    expect(order).toEqual([
      'snapshot',
      'invalidate 0 2',
      'worked',
      'invalidateEnd 0 2',
      'worked',
      'punched',
    ]);
  });

  it('for await: a loop that throws lets go of everything that it holds', async () => {
    const { file } = await setUp();
    let operations: Promise<unknown> | undefined;
    const loop = async (): Promise<void> => {
      for await (const told of file.notifications$()) {
        if (told.type === 'snapshot') {
          operations = Promise.all([file.punchHole(0, 1), file.punchHole(2, 3)]);
        } else throw new Error('the loop has had enough');
      }
    };
    await expect(loop()).rejects.toThrow('had enough');
    await operations;
    expect(file.registrations).toBe(0);
  });

  it('for await: ends when the file is closed', async () => {
    const { file } = await setUp();
    const seen: string[] = [];
    let closed: Promise<void> | undefined;
    for await (const told of file.notifications$()) {
      seen.push(brief(told));
      if (told.type === 'snapshot') closed = file.close();
    }
    await closed;
    expect(seen).toEqual(['snapshot', 'invalidate 0 16', 'invalidateEnd 0 16']);
  });
});

describe('an observer that subscribes when its registration joins', () => {
  it('misses nothing, whatever was queued behind the registration', async () => {
    const { file } = await setUp();
    const late: string[] = [];
    const told: string[] = [];
    const note = (into: string[]) => (one: Notification) => {
      if (one.type !== 'snapshot') into.push(`${one.type} ${one.start} ${one.end} ${one.reason}`);
    };
    const registered = file
      .register({}, { votes: true, replay: true, joined: (one) => one.subscribe(note(told)) })
      .then((one) => one.subscribe(note(late)));
    const punched = file.punchHole(1, 2);
    await Promise.all([registered, punched]);
    expect(told).toEqual([
      'prepare 0 8 replay',
      'fallocate 0 8 replay',
      'invalidate 1 2 punch',
      'invalidateEnd 1 2 punch',
    ]);
    expect(late).toEqual([]);
  });

  it('leaves again when it fails there', async () => {
    const { file } = await setUp();
    const joined = (): never => {
      throw new Error('no');
    };
    await expect(file.register({ name: 'a' }, { joined })).rejects.toMatchObject({ code: 'EIO' });
    expect(file.registrations).toBe(0);
    const wrong = { joined: 1 } as unknown as RegisterOptions;
    await expect(file.register({}, wrong)).rejects.toMatchObject({ code: 'EINVAL' });
  });
});
