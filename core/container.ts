import './reflect.js';
import {
  container as rootContainer,
  instanceCachingFactory,
  type DependencyContainer,
  type InjectionToken,
} from 'tsyringe';
import type { BackingStore } from './backing-store.js';
import { BackingStores } from './backing-stores.js';
import { Engine } from './engine.js';
import type { RecordLevel } from './event.js';
import { Journal } from './journal.js';
import { MemoryFiles } from './memory-files.js';
import { NotifierList } from './notifier-list.js';
import { Clock, Scheduler } from './ports.js';
import type { Registration } from './registration.js';
import type { StallOptions } from './stall.js';

/** A dependency injection token that knows what it stands for. */
export type Token<T> = InjectionToken<T>;

/**
 * The tokens that a memfile's container resolves. The abstract ones are classes too, so that a
 * constructor parameter of that type is injected where metadata is emitted.
 */
export const JOURNAL = Journal as unknown as Token<Journal>;
export const CLOCK = Clock as unknown as Token<Clock>;
export const SCHEDULER = Scheduler as unknown as Token<Scheduler>;
export const STORES: Token<BackingStores> = BackingStores;
export const FILES: Token<MemoryFiles> = MemoryFiles;
/** A new notifier list with every resolution: one for each memory file. */
export const NOTIFIER_LIST = NotifierList as unknown as Token<NotifierList<Registration>>;

export interface Parts {
  readonly plugins: readonly BackingStore[];
  readonly journal: Journal;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly stall: StallOptions | undefined;
  readonly record: RecordLevel;
}

/** Composes the parts in a child container of their own; the global one is never touched. */
export function compose(parts: Parts): DependencyContainer {
  const { plugins, journal, clock, scheduler, stall, record } = parts;
  const container = rootContainer.createChildContainer();
  container.register(JOURNAL, { useValue: journal });
  container.register(CLOCK, { useValue: clock });
  container.register(SCHEDULER, { useValue: scheduler });
  container.register(STORES, { useValue: new BackingStores(plugins) });
  container.register(NOTIFIER_LIST, { useFactory: () => new NotifierList() });
  container.register(Engine, {
    useFactory: instanceCachingFactory(
      (from) =>
        new Engine(
          from.resolve(JOURNAL),
          from.resolve(CLOCK),
          from.resolve(SCHEDULER),
          stall,
          record,
        ),
    ),
  });
  container.register(FILES, {
    useFactory: instanceCachingFactory(
      (from) =>
        new MemoryFiles(from.resolve(Engine), from.resolve(STORES), () =>
          from.resolve(NOTIFIER_LIST),
        ),
    ),
  });
  return container;
}
