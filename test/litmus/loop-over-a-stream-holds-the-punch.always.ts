import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a punch ends after the body of a `for await` that was told of it',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const order: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const event of file.notifications$()) {
        if (event.type !== 'invalidate') continue;
        await stage.gate('the body is at work');
        order.push('body');
        break;
      }
    };
    const over = loop();
    return { file, order, over };
  },
  threads: {
    owner: {
      'punch [0, 1)': async ({ file, order }) => {
        await file.punchHole(0, 1);
        order.push('punched');
      },
    },
    loop: { 'wait for the loop': ({ over }) => over },
  },
  seen: ({ order }) => order.join() === 'body,punched',
});
