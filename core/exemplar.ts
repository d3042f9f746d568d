import type { BackingStore } from './backing-store.js';
import { BackingStores } from './backing-stores.js';
import { Engine } from './engine.js';
import { MemoryFiles } from './memory-files.js';
import { MemoryJournal } from './memory-journal.js';
import { NotifierList } from './notifier-list.js';
import { MicrotaskScheduler, SystemClock } from './ports.js';

/** By the name of their store. */
const exemplars = new Map<string, readonly unknown[]>();

/**
 * Sees to it that there is one file of such a store for as long as the process runs, which nobody
 * uses.
 *
 * An engine forgets what it knows of a class when the last object of it is collected, and all code
 * that it compiled with that knowledge. Whoever makes one memfile after the other, as tests do, would
 * begin with slow code each time: for some ten thousand operations, at ten times their price.
 *
 * @param newStore answers one that is used for nothing else and has room for 4 pages.
 */
export function keepExemplar(name: string, newStore: () => BackingStore): void {
  if (!exemplars.has(name)) exemplars.set(name, exemplarOf(newStore()));
}

/** What most operations come by. */
function exemplarOf(store: BackingStore): readonly unknown[] {
  const engine = new Engine(new MemoryJournal(), new SystemClock(), new MicrotaskScheduler());
  const files = new MemoryFiles(engine, new BackingStores([store]), () => new NotifierList());
  const file = files.create(store.name, { size: 4 });
  const kept: unknown[] = [file];
  const told = (_start: number, _end: number, event: object): void => {
    kept.push(event);
  };
  void file.register({ fallocate: told, invalidate: told, invalidateEnd: told });
  void file.fallocate(0, 1);
  for (const options of [undefined, {}]) {
    void file.fallocate(1, 3, options);
    for (const registration of file.consumers()) {
      const lease = registration.lookup(1);
      lease.put();
      kept.push(lease);
    }
    void file.punchHole(1, 3, options);
  }
  return kept;
}
