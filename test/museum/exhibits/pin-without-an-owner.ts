import { MemfileError, type MemoryFile } from '../../../core/index.js';
import type { Listener } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Convert = (file: MemoryFile) => Promise<string>;

interface World {
  readonly convert: () => Promise<string>;
  readonly iommu: Listener;
  answer: string;
}

export default exhibit<Convert, World>({
  law: 9,
  says: 'a conversion is refused for a pin, and nobody says whose',
  source:
    'KVM_SET_MEMORY_ATTRIBUTES2 on guest_memfd, series of 2025 and 2026: EAGAIN, error_offset',
  history: [
    'A page with an unexpected reference cannot be converted: EAGAIN, with its offset.',
    'Who holds it is left to guess: the page tables of an IOMMU, perhaps.',
    'Here a lease has an owner, and the error names it.',
  ],
  faulty: (file) =>
    file.convert(0, 1, 'private').then(
      () => '',
      () => 'EAGAIN, error_offset 0',
    ),
  ours: (file) =>
    file.convert(0, 1, 'private').then(
      () => '',
      (error: unknown) => (error instanceof MemfileError ? error.message : String(error)),
    ),
  setUp: async (stage, convert) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const iommu = await stage.listen(file, 'iommu');
    return { convert: () => convert(file), iommu, answer: '' };
  },
  threads: {
    device: {
      'look page 0 up': ({ iommu }) => void iommu.lookup(0),
      'put it': ({ iommu }) => iommu.put(),
    },
    vmm: {
      'make it private': async (world) => {
        world.answer = await world.convert();
      },
    },
  },
  seen: ({ answer }) => answer !== '' && !answer.includes('iommu'),
});
