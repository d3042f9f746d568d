import { describe, expectTypeOf, it } from 'vitest';
import type { Observable, Subject } from 'rxjs';
import {
  createMemfile,
  type BackingStore,
  type JournalEvent,
  type Lease,
  type Notification,
  type PageRange,
  type Reason,
  type Recorded,
  type Registration,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

declare const gpu: BackingStore<'gpu', { readonly heap: number; readonly tiled?: boolean }>;

const make = () => createMemfile({ plugins: [shmem(), gpu] });
type Made = ReturnType<typeof make>;

describe('types', () => {
  it('store names come from the list of plugins', () => {
    expectTypeOf<Parameters<Made['createFile']>[0]>().toEqualTypeOf<'shmem' | 'gpu'>();
  });

  it('each store takes its own options, required ones included', () => {
    const check = (memfile: Made): void => {
      memfile.createFile('shmem', { size: 1 });
      memfile.createFile('gpu', { size: 1, heap: 2, tiled: true });
      memfile.files.create('gpu', { size: 1, heap: 2 });
      // @ts-expect-error no store of that name
      memfile.createFile('hugetlb', { size: 1 });
      // @ts-expect-error the heap is missing
      memfile.createFile('gpu', { size: 1 });
      // @ts-expect-error a heap is a number
      memfile.createFile('gpu', { size: 1, heap: 'big' });
      // @ts-expect-error shmem has no heap
      memfile.createFile('shmem', { size: 1, heap: 2 });
    };
    expectTypeOf(check).toBeFunction();
  });

  it('notifications and events narrow by type', () => {
    expectTypeOf<Extract<Notification, { type: 'snapshot' }>['ranges']>().toEqualTypeOf<
      readonly PageRange[]
    >();
    expectTypeOf<Extract<Notification, { type: 'invalidate' }>['reason']>().toEqualTypeOf<Reason>();
    expectTypeOf<Extract<JournalEvent, { type: 'fallocate' }>['pfn']>().toEqualTypeOf<number>();
    // @ts-expect-error a lookup has an offset, not a range
    type _None = Extract<JournalEvent, { type: 'lookup' }>['start'];
    expectTypeOf<Recorded['position']>().toEqualTypeOf<number>();
  });

  it('a registration is an observable of notifications whose `closed` is a promise', () => {
    expectTypeOf<Registration>().toExtend<Observable<Notification>>();
    expectTypeOf<Registration['next']>().toEqualTypeOf<Subject<Notification>['next']>();
    expectTypeOf<Registration['closed']>().toEqualTypeOf<Promise<void>>();
    expectTypeOf<Registration['lookup']>().returns.toEqualTypeOf<Lease>();
    expectTypeOf<Registration>().toExtend<AsyncDisposable>();
    expectTypeOf<Lease>().toExtend<Disposable>();
  });
});
