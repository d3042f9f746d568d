import type { MemoryFile } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

const F_SEAL_WRITE = 8;

type Seal = (file: MemoryFile) => Promise<unknown>;
type World = Record<'seal' | 'punch', () => Promise<unknown>> & { sealed: boolean; done: boolean };

export default exhibit<Seal, World>({
  law: 11,
  says: 'a file that was sealed is punched',
  source: 'PATCH v4 02/12, MFD_INACCESSIBLE; found by Steven Price',
  history: [
    'The seals were meant to be added, and were written with &= where |= was meant.',
    'A flag that is not there yet stays away: the file was never sealed, and nothing said so.',
    'Here addSeals records what was added, and what it forbids answers EPERM.',
  ],
  faulty: async (file) => {
    let seals = file.seals.size;
    seals &= F_SEAL_WRITE;
    if (seals !== 0) await file.addSeals('write');
  },
  ours: (file) => file.addSeals('write'),
  setUp: async (stage, seal) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    return {
      sealed: false,
      done: false,
      seal: () => seal(file),
      punch: () => file.punchHole(0, 1),
    };
  },
  threads: {
    owner: {
      'seal it against writing': (world) => world.seal().then(() => (world.sealed = true)),
    },
    other: {
      'punch [0, 1)': async (world) => {
        const { sealed } = world;
        await world.punch();
        world.done = sealed;
      },
    },
  },
  seen: ({ done }) => done,
});
