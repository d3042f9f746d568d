import { MemfileError, type ContentMode, type PageRange, type Side } from '../../../core/index.js';
import type { World } from './world.js';
import type { Consumer } from './world-consumer.js';

/** Brings pages: the caller's way, or the store's own if callers may not. */
export function fallocate(
  world: World,
  file: number,
  { start, end }: PageRange,
  keepSize = false,
): void {
  const target = world.files[file]!;
  const byCaller = world.store.store.capabilities?.fallocate !== false;
  world.submit('fallocate', file, { start, end }, (signal) =>
    byCaller
      ? target.fallocate(start, end, { signal, keepSize })
      : world.hostOf(file).fallocate({ start, end }),
  );
}

/** Whatever its store can convert: what it cannot is refused. */
export function convert(
  world: World,
  file: number,
  { start, end }: PageRange,
  { to, content }: { readonly to: Side; readonly content: ContentMode },
): void {
  const operation = world.submit('convert', file, { start, end }, (signal) =>
    world.files[file]!.convert(start, end, to, { content, signal }),
  );
  operation.to = to;
  operation.zeroes = content === 'zero';
}

/** The whole granule has an error then. */
export function poison(world: World, file: number, page: number): void {
  const range = world.widest(file, { start: page, end: page + 1 });
  world.submit('poison', file, range, () => world.files[file]!.poison(page));
}

export function lookUp(world: World, consumer: Consumer | undefined, page: number): void {
  const registration = consumer?.registration;
  if (consumer === undefined || registration === undefined) return;
  try {
    const lease = registration.lookup(page);
    consumer.witness.lookedUp(lease);
    world.leases.push({ consumer, lease });
  } catch (error) {
    const code = error instanceof MemfileError ? error.code : String(error);
    const expected = whyNot(world, consumer, page);
    if (code === 'EINVAL' || code === 'EBADF' || code === expected) return;
    const detail = `lookup of page ${page} throws ${code}, not ${expected}`;
    world.broken.push({ law: 11, detail });
  }
}

/** Why a page of a file that is open cannot be looked up, by the books of its store. */
function whyNot(world: World, { file: { id }, access }: Consumer, page: number): string {
  const { ledger, conversions, store } = world;
  if (ledger.frameOf(id, page) === undefined) {
    return store.files.get(id)!.whyHole?.(page)?.code ?? 'ENOENT';
  }
  if (ledger.isPoisoned(id, page)) return 'EHWPOISON';
  const side = conversions.sides.sideOf(id, page);
  return access === 'both' || access === side ? 'nothing' : 'EFAULT';
}
