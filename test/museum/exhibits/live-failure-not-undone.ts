import type { MemoryFile } from '../../../core/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

interface Handler {
  readonly name: string;
  map(): void;
  unmap(): void;
}

type Plug = (stage: Stage, handlers: readonly Handler[]) => Promise<() => Promise<unknown>>;

export default exhibit<Plug, { readonly plug: () => Promise<unknown> }>({
  law: 8,
  says: 'plugging failed, and a device still has the block mapped',
  source: 'cloud-hypervisor virtio-devices/src/mem.rs: plugging a block of virtio-mem',
  history: [
    'A block is marked plugged, then mapped for one device after the other.',
    'When one fails, the error is returned; the maps before it and the mark stay.',
    'Here whoever agreed rolls back, in reverse, and the pages never arrived.',
  ],
  faulty: async (_stage, handlers) => async () => {
    for (const handler of handlers) handler.map();
  },
  ours: async (stage, handlers) => {
    const file: MemoryFile = stage.file('ram', 1);
    for (const { name, map, unmap } of handlers) {
      await file.register({ name, prepare: map, rollback: unmap });
    }
    return () => file.fallocate(0, 1);
  },
  setUp: async (stage, plug) => {
    const mapped = new Set<string>();
    const handler = (name: string, fails: boolean): Handler => ({
      name,
      map: () => {
        if (fails) throw new Error('VfioDmaMap');
        mapped.add(name);
      },
      unmap: () => void mapped.delete(name),
    });
    const run = await plug(stage, [handler('virtio', false), handler('vfio', true)]);
    const failed = (): void => {
      if (mapped.size > 0) stage.breaks(8, `it failed, and ${[...mapped]} has it mapped`);
    };
    return { plug: () => run().then(() => {}, failed) };
  },
  threads: { vmm: { 'plug a block': ({ plug }) => plug() } },
});
