import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LEVEL_PAGES,
  Stage2,
  type Level,
  type Side,
  type Stage2Mapping,
} from '../../adapters/kvm/index.js';

interface Mapped {
  pfn: number;
  private: boolean;
  writable: boolean;
  /** By whole mappings only, so a large one is one key. */
  level: Level;
}

/** Every mapping by its first page. */
class Model {
  readonly mappings = new Map<number, Mapped>();

  at(gfn: number): Mapped | undefined {
    const found = this.#over(gfn, gfn + 1)[0];
    if (found === undefined) return undefined;
    const [start, mapped] = found;
    return { ...mapped, pfn: mapped.pfn + (gfn - start) };
  }

  map(start: number, end: number, pfn: number, kind: Omit<Mapped, 'pfn'>): void {
    this.zap(start, end, 'both');
    const pages = LEVEL_PAGES[kind.level];
    for (let gfn = start; gfn < end; gfn += pages) {
      this.mappings.set(gfn, { ...kind, pfn: pfn + (gfn - start) });
    }
  }

  zap(start: number, end: number, side: Side): number {
    let zapped = 0;
    for (const [gfn, mapped] of this.#over(start, end)) {
      if (side !== 'both' && (side === 'private') !== mapped.private) continue;
      this.mappings.delete(gfn);
      zapped += LEVEL_PAGES[mapped.level];
    }
    return zapped;
  }

  writeProtect(start: number, end: number): void {
    for (const [gfn, mapped] of this.#over(start, end)) {
      if (mapped.level > 1) this.mappings.delete(gfn);
      else mapped.writable = false;
    }
  }

  get pages(): number {
    let pages = 0;
    for (const { level } of this.mappings.values()) pages += LEVEL_PAGES[level];
    return pages;
  }

  /** Clipped and joined. */
  within(start: number, end: number): Stage2Mapping[] {
    const found: (Mapped & { start: number; end: number })[] = [];
    for (const [gfn, mapped] of this.#over(start, end).sort(([a], [b]) => a - b)) {
      const from = Math.max(gfn, start);
      const to = Math.min(gfn + LEVEL_PAGES[mapped.level], end);
      const pfn = mapped.pfn + (from - gfn);
      const last = found.at(-1);
      const joins =
        last?.end === from &&
        last.pfn + (from - last.start) === pfn &&
        last.private === mapped.private &&
        last.writable === mapped.writable &&
        last.level === mapped.level;
      if (joins) last.end = to;
      else found.push({ ...mapped, start: from, end: to, pfn });
    }
    return found;
  }

  #over(start: number, end: number): [number, Mapped][] {
    return [...this.mappings].filter(
      ([gfn, { level }]) => gfn < end && gfn + LEVEL_PAGES[level] > start,
    );
  }
}

function ranges(mappings: readonly Stage2Mapping[]): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const { start, end } of mappings) {
    const last = found.at(-1);
    if (last?.end === start) last.end = end;
    else found.push({ start, end });
  }
  return found;
}

/** Where places, regions and the widths of numbers end. */
const EDGES = [0, 512, 1024, 2 ** 18, 2 ** 19, 2 ** 31, 2 ** 40 - 2 ** 18];
const gfn = fc
  .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -6, max: 6 }))
  .map(([edge, by]) => Math.max(0, edge + by));
const pages = fc.oneof(
  fc.integer({ min: 1, max: 8 }),
  fc.constantFrom(511, 512, 513, 2 ** 18, 2 ** 18 + 3, 2 ** 31),
);
const pfn = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.constantFrom(0, 2 ** 30 - 3, 2 ** 30, 2 ** 31, 2 ** 51 - 2 ** 19),
  // In a row, as the guest pages are.
  fc.constant(undefined),
  fc.constant(undefined),
);
const side = fc.constantFrom<Side>('private', 'shared', 'both');
const command = fc.oneof(
  fc.record({
    do: fc.constantFrom('map' as const, 'fault' as const),
    gfn,
    count: fc.integer({ min: 1, max: 3 }),
    pfn,
    private: fc.boolean(),
    writable: fc.boolean(),
    write: fc.boolean(),
    level: fc.constantFrom<Level>(1, 1, 2, 3),
  }),
  fc.record({ do: fc.constant('zap' as const), gfn, pages, side }),
  fc.record({ do: fc.constant('protect' as const), gfn, pages }),
);

describe('Stage2', () => {
  it('is a map from guest pages to mappings that go as a whole', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 40, size: 'max' }),
        gfn,
        pages,
        (commands, from, count) => {
          const stage2 = new Stage2();
          const model = new Model();
          for (const step of commands) {
            if (step.do === 'zap') {
              const { gfn, pages, side } = step;
              expect(stage2.zap(gfn, gfn + pages, side)).toBe(model.zap(gfn, gfn + pages, side));
            } else if (step.do === 'protect') {
              stage2.writeProtect(step.gfn, step.gfn + step.pages);
              model.writeProtect(step.gfn, step.gfn + step.pages);
            } else {
              const { level, write } = step;
              const kind = { level, private: step.private, writable: step.writable };
              const size = LEVEL_PAGES[level];
              const start = step.gfn - (step.gfn % size);
              const pfn = step.pfn ?? 2 ** 12 + (start % 2 ** 11);
              const frame = pfn + (step.gfn - start); // Of a fault somewhere in its mapping.
              if (step.do === 'map') {
                stage2.map(start, start + step.count * size, pfn, kind);
                model.map(start, start + step.count * size, pfn, kind);
              } else {
                const old = model.at(step.gfn);
                const there =
                  old?.pfn === frame && old.private === kind.private && (!write || old.writable);
                const found = stage2.fault(
                  step.gfn,
                  frame,
                  kind.private,
                  write,
                  kind.writable,
                  level,
                );
                expect(found).toBe(there ? old.level : undefined);
                if (!there) model.map(start, start + size, pfn, kind);
              }
            }
            expect(stage2.pages).toBe(model.pages);
          }
          const end = from + count;
          expect(stage2.mappings()).toEqual(model.within(0, Infinity));
          expect(stage2.mappings(from, end)).toEqual(model.within(from, end));
          expect(stage2.ranges(from, end)).toEqual(ranges(model.within(from, end)));
          for (const page of [from, end, ...model.mappings.keys()]) {
            const mapped = model.at(page);
            expect({
              pfn: stage2.get(page),
              has: stage2.has(page),
              private: stage2.isPrivate(page),
              writable: stage2.isWritable(page),
              level: stage2.level(page),
            }).toEqual({
              pfn: mapped?.pfn ?? -1,
              has: mapped !== undefined,
              private: mapped?.private ?? false,
              writable: mapped?.writable ?? false,
              level: mapped?.level ?? 1,
            });
          }
          const holes = stage2.holes(from, end);
          const all = [...stage2.ranges(from, end), ...holes].sort((a, b) => a.start - b.start);
          let at = from;
          for (const range of all) {
            expect(range.start).toBe(at);
            at = range.end;
          }
          expect(at).toBe(end);
        },
      ),
      { seed: 20220118, numRuns: 300 },
    );
  });

  it('takes little memory for 1 TiB of large mappings, and gives back what pages took', () => {
    const TIB = 2 ** 28;
    const before = process.memoryUsage().arrayBuffers;
    const taken = (): number => process.memoryUsage().arrayBuffers - before;
    const large = new Stage2();
    for (const level of [3, 2] as const) {
      large.map(0, TIB, 1, { private: false, writable: true, level });
      expect(large.pages).toBe(TIB);
      expect(large.ranges()).toEqual([{ start: 0, end: TIB }]);
      expect(taken()).toBeLessThan(8 * 2 ** 20);
    }
    expect(large.zap(0, TIB, 'both')).toBe(TIB);
  });

  it('takes a bit for a page whose frame is in a row, and a word for any other', () => {
    const PAGES = 2 ** 20;
    const taken = (frameOf: (gfn: number) => number): number => {
      const before = process.memoryUsage().arrayBuffers;
      const stage2 = new Stage2();
      for (let i = 0; i < PAGES; i++) {
        const gfn = (i * 611_953) % PAGES; // In no order, each once.
        stage2.fault(gfn, frameOf(gfn), false, false, true, 1);
      }
      expect(stage2.pages).toBe(PAGES);
      return process.memoryUsage().arrayBuffers - before;
    };
    expect(taken((gfn) => 512 + gfn)).toBeLessThan(PAGES / 4);
    // Twice that, as nobody may have collected what was outgrown.
    expect(taken((gfn) => PAGES - gfn)).toBeLessThan(PAGES * 9);
  });

  it('keeps no table for pages that left', () => {
    const stage2 = new Stage2();
    const kind = { private: false, writable: true, level: 1 } as const;
    const before = process.memoryUsage().arrayBuffers;
    // A table of 2 KiB for every page, were they kept.
    for (let gfn = 0; gfn < 2 ** 26; gfn += 2 ** 9) {
      stage2.map(gfn, gfn + 1, 7, kind);
      stage2.zap(gfn, gfn + 1, 'both');
    }
    expect(stage2.pages).toBe(0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
  });
});
