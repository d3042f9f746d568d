import { MemfileError } from '../../core/index.js';
import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a conversion is refused with EAGAIN and the name of who holds the page',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const holder = await stage.listen(file, 'holder');
    return { stage, file, holder, answer: '' };
  },
  threads: {
    vmm: {
      'make [0, 1) private': async (world) => {
        await world.file.convert(0, 1, 'private').catch((error: unknown) => {
          if (error instanceof MemfileError) world.answer = error.message;
        });
      },
    },
    holder: {
      'look page 0 up': ({ holder }) => void holder.lookup(0),
      put: ({ holder }) => holder.put(),
    },
  },
  seen: ({ stage, file, answer }) =>
    answer.includes('EAGAIN') &&
    answer.includes('holder') &&
    !stage.state.files.get(file.id)!.private.has(0),
});
