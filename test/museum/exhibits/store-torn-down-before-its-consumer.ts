import { createMemfile } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

interface Part {
  open: boolean;
}

type TearDown = (
  stage: Stage,
  store: Part,
  consumer: () => Promise<void>,
) => () => Promise<unknown>;

export default exhibit<TearDown, { readonly tearDown: () => Promise<unknown> }>({
  law: 12,
  says: 'a consumer lets go of pages of a store that is closed',
  source: 'tsyringe 4.10.0, container.dispose(); measured',
  history: [
    'A container disposes of its instances in the order in which it made them, all at once.',
    'The store, made first, is closed under the consumer that uses it.',
    'Here consumers go first, then files, then stores, then the journal; each is waited for.',
  ],
  faulty: (_stage, store, consumer) => async () => {
    const parts = [async () => void (store.open = false), consumer];
    await Promise.all(parts.map((dispose) => dispose()));
  },
  ours: (stage, store, consumer) => {
    const plugin = { ...shmem(), close: () => void (store.open = false) };
    const clock = { now: () => 0, after: () => () => {} };
    const memfile = createMemfile({ plugins: [plugin], scheduler: stage, clock });
    const file = memfile.createFile('shmem', { size: 1 });
    void file.register({ invalidate: consumer });
    return () => memfile[Symbol.asyncDispose]();
  },
  setUp: (stage, tearDown) => {
    const store: Part = { open: true };
    const consumer = async (): Promise<void> => {
      await stage.gate('the consumer flushes');
      if (!store.open) stage.breaks(12, 'a consumer flushes to a store that is closed');
    };
    return { tearDown: tearDown(stage, store, consumer) };
  },
  threads: { main: { 'tear down': ({ tearDown }) => tearDown() } },
});
