import { afterAll, describe, expect, it } from 'vitest';
import { checkLitmus } from '../explore/index.js';
import { allLitmus } from './index.js';

const all = await allLitmus();
const printed: string[] = [];

describe('litmus tests', () => {
  afterAll(() => console.log(printed.join('\n')));

  it.each(all.map((litmus) => [`${litmus.name}: ${litmus.verdict}`, litmus] as const))(
    '%s',
    async (_, litmus) => {
      const { schedules, seen, exhaustive, wrong } = await checkLitmus(litmus);
      printed.push(`${String(schedules).padStart(7)} interleavings, in ${seen}: ${litmus.name}`);
      expect(wrong).toBeUndefined();
      expect(exhaustive).toBe(true);
    },
    60_000,
  );
});
