import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmallMap } from '../../core/small-map.js';

describe('SmallMap', () => {
  it('is a Map of numbers, whether few or many', () => {
    const key = fc.nat(24);
    const command = fc.oneof(
      fc.record({ type: fc.constant('set'), key, value: fc.nat(99) }),
      fc.record({ type: fc.constant('delete'), key, value: fc.constant(0) }),
    );
    let most = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (program) => {
        const map = new SmallMap<number>();
        const model = new Map<number, number>();
        for (const { type, key, value } of program) {
          if (type === 'delete') expect(map.delete(key)).toBe(model.delete(key));
          else {
            map.set(key, value);
            model.set(key, value);
          }
          expect(map.size).toBe(model.size);
          expect(map.get(key)).toBe(model.get(key));
          expect(map.has(key)).toBe(model.has(key));
          expect([...map]).toEqual([...model]);
          expect([...map.keys()]).toEqual([...model.keys()]);
          expect([...map.values()]).toEqual([...model.values()]);
          most = Math.max(most, map.size);
        }
      }),
      { seed: 20220118, numRuns: 300 },
    );
    expect(most).toBeGreaterThan(8);
  });
});
