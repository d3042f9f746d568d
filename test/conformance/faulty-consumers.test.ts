import { describe, it } from 'vitest';
import type { Notifier, NotifierEvent } from '../../core/index.js';
import { describeConsumer } from '../kit/index.js';
import { expectFound } from './collect.js';
import { PageUser } from './page-user.js';

/** It lets go only when it is told so for such a reason. */
function dropping(
  user: PageUser,
  told: Notifier,
  when: (event: NotifierEvent) => boolean,
): Notifier {
  return {
    ...told,
    invalidate: (start, end, event) => {
      user.witness.told(event, start, end);
      user.invalidations.begin(start, end);
      if (when(event)) user.drop(start, end);
    },
  };
}

const FAULTY: readonly (readonly [
  what: string,
  make: new (...args: ConstructorParameters<typeof PageUser>) => PageUser,
  law: string,
  says: RegExp,
])[] = [
  [
    'uses pages that left',
    class extends PageUser {
      override drop(): void {}
    },
    'law 4: gone means gone',
    /page \d+ is freed, and the consumer uses frame \d+ for it/,
  ],
  [
    'lets go one page too few',
    class extends PageUser {
      override drop(start: number, end: number): void {
        super.drop(start, Math.max(start + 1, end - 1));
      }
    },
    'law 4: gone means gone',
    /page \d+ is freed, and the consumer uses frame \d+ for it/,
  ],
  [
    'keeps pages that change sides',
    class extends PageUser {
      override notifier(): Notifier {
        return dropping(this, super.notifier(), ({ reason }) => reason !== 'convert');
      }
    },
    'law 8: undo',
    /page \d+ becomes private, and the consumer uses frame \d+ for it/,
  ],
  [
    'keeps pages with an error',
    class extends PageUser {
      override notifier(): Notifier {
        return dropping(this, super.notifier(), ({ reason }) => reason !== 'poison');
      }
    },
    'law 4: gone means gone',
    /the consumer uses page \d+, which is poisoned/,
  ],
  [
    'has shared pages, and goes on with those that became private',
    class extends PageUser {
      override readonly access = 'shared';
      readonly #known = new Map<number, number>();
      override async use(page: number): Promise<void> {
        await super.use(page);
        const frame = this.frames.get(page) ?? this.#known.get(page);
        if (frame === undefined) return;
        this.#known.set(page, frame);
        if (this.file.isPrivate(page)) this.frames.set(page, frame);
      }
    },
    'law 8: undo',
    /the consumer uses page \d+, which is private and not for it/,
  ],
  [
    'maps what it looked up before the page left',
    class extends PageUser {
      override async use(page: number): Promise<void> {
        const lease = this.lookup(page);
        this.put(lease);
        await this.file.fallocate(page, page + 1, { keepSize: true });
        this.frames.set(page, lease.pfn);
      }
    },
    'law 4: gone means gone',
    /the consumer uses frame \d+ for page \d+, which/,
  ],
  [
    'keeps its leases',
    class extends PageUser {
      override put(): void {}
    },
    'law 9: pins balance',
    /the consumer has ended, "page user" holds a lease of frame \d+, page \d+/,
  ],
  [
    'fails when it is told',
    class extends PageUser {
      override notifier(): Notifier {
        return {
          ...super.notifier(),
          fallocate() {
            throw new RangeError('too many');
          },
        };
      }
    },
    'law 2: isolation',
    /"page user" failed in fallocate: too many/,
  ],
  [
    'never lets an invalidation go on',
    class extends PageUser {
      override notifier(): Notifier {
        return { ...super.notifier(), invalidate: () => new Promise(() => {}) };
      }
    },
    'law 1: order',
    /punch of \[\d+, \d+\) never ended/,
  ],
  [
    'never comes',
    class extends PageUser {
      override come(): Promise<this> {
        return new Promise(() => {});
      }
    },
    'law 1: order',
    /the coming of the consumer never ended/,
  ],
  [
    'leaves its registration behind',
    class extends PageUser {
      override [Symbol.asyncDispose](): Promise<void> {
        this.frames.clear();
        return Promise.resolve();
      }
    },
    'law 6: grace',
    /the consumer has ended, "page user" is registered/,
  ],
  [
    'uses pages that were refused',
    class extends PageUser {
      override notifier(): Notifier {
        const take = (start: number, end: number): void => {
          for (let page = start; page < end; page++) this.frames.set(page, 1000 + page);
        };
        return { ...super.notifier(), prepare: take };
      }
    },
    'law 8: undo',
    /page \d+ never arrived, and the consumer uses frame \d+ for it/,
  ],
  [
    'fails in words of its own',
    class extends PageUser {
      override async touch(start: number, end: number): Promise<void> {
        if (end > 12) throw new RangeError(`no page ${end}`);
        await super.touch(start, end);
      }
    },
    'law 11: errors',
    /touch of \[\d+, \d+\) rejects with RangeError: no page \d+, which is no MemfileError/,
  ],
  [
    'ends once only',
    class extends PageUser {
      #ended = false;
      override [Symbol.asyncDispose](): Promise<void> {
        if (this.#ended) return new Promise(() => {});
        this.#ended = true;
        return super[Symbol.asyncDispose]();
      }
    },
    'law 12: teardown',
    /the consumer has ended; the end of the consumer again never ended/,
  ],
  [
    'never uses anything',
    class extends PageUser {
      override use(): Promise<void> {
        return Promise.resolve();
      }
    },
    'law 5: snapshot and subscribe are one step',
    /page 0 has frame 1, the consumer uses undefined/,
  ],
  [
    'forgets that some pages were there',
    class extends PageUser {
      override async come(): Promise<this> {
        const { witness } = this;
        const { registered } = witness;
        witness.registered = (place) => registered.call(witness, { ...place, snapshot: [] });
        return super.come();
      }
    },
    'law 4: gone means gone',
    /looked page \d+ up, which by all it was told is not there/,
  ],
  [
    'registers twice',
    class extends PageUser {
      override async come(): Promise<this> {
        await this.file.register({ ...this.notifier(), name: 'page user again' });
        return super.come();
      }
    },
    'law 1: order',
    /at \d+ after an event at \d+/,
  ],
];

describe('describeConsumer', () => {
  it.each(FAULTY)('finds the consumer that %s', (_, Faulty, law, says) =>
    expectFound(
      (name, options) =>
        describeConsumer(name, (file, setting) => new Faulty(file, setting).come(), options),
      law,
      says,
    ),
  );
});

// And the one that is not faulty keeps them all.
describeConsumer('PageUser', (file, setting) => new PageUser(file, setting).come());
