import { describe, expect, it } from 'vitest';
import { allExhibits, visit } from './index.js';

const MAX_STEPS = 12;

const exhibits = await allExhibits();

describe('the museum', () => {
  it.each(exhibits.map((exhibit) => [exhibit.name, exhibit] as const))(
    'finds %s, and not in ours',
    async (_, exhibit) => {
      const { faulty, ours } = await visit(exhibit, { runs: 1000 });
      expect(ours.counterexample?.broken).toBeUndefined();
      const { counterexample } = faulty;
      expect(counterexample?.broken.law).toBe(exhibit.law);
      expect(counterexample!.timeline.length).toBeGreaterThan(0);
      expect(counterexample!.timeline.length).toBeLessThanOrEqual(MAX_STEPS);
    },
    60_000,
  );

  it('has at least 25 exhibits, each with its source and history', () => {
    expect(exhibits.length).toBeGreaterThanOrEqual(25);
    for (const { source, history } of exhibits) {
      expect([source, ...history].every((line) => line.length > 10 && line.length <= 100)).toBe(
        true,
      );
    }
  });
});
