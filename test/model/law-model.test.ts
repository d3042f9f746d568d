import { describe, expect, it } from 'vitest';
import type { NotifierEvent } from '../../core/index.js';
import { LawModel } from './index.js';

describe('the model', () => {
  it('notices who is told something else at a position that others are past', () => {
    const model = new LawModel();
    const file = { id: 1, name: 'ram', store: 'shmem', pages: 4 };
    const [a, b] = ['a', 'b'].map((name) => model.consumer(name, file));
    const range = { start: 0, end: 4 };
    for (const one of [a!, b!]) one.registered({ range, snapshot: [], position: 1 });
    const event = (position: number, reason: NotifierEvent['reason']): NotifierEvent => ({
      type: 'fallocate',
      position,
      reason,
      file,
      waitUntil: () => {},
    });
    a!.told(event(2, 'fallocate'), 0, 1);
    a!.told(event(3, 'fallocate'), 1, 2);
    b!.told(event(2, 'fault'), 0, 1);
    b!.told(event(3, 'fallocate'), 1, 2);
    expect(model.violations).toMatchObject([{ law: 1, consumer: 'b' }]);
    expect(model.violations[0]!.detail).toMatch(/at 2: another was told something else there/);
  });
});
