import { describe, expect, it } from 'vitest';
import { VmmMapping } from '../../adapters/vmm-mapping/index.js';
import { createMemfile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 8, name: 'ram' });
  const mapping = await VmmMapping.create(file, { range: { start: 2, end: 10 } });
  return { memfile, file, mapping };
};

describe('a mapping', () => {
  it('translates what is touched, inside the file, and loses what leaves', async () => {
    const { file, mapping } = await setUp();
    await mapping.touch(0, 20);
    expect(file.populated()).toEqual([{ start: 2, end: 8 }]);
    expect(mapping.residentPages).toBe(6);
    await file.punchHole(0, 4);
    expect({ resident: mapping.residentPages, zapped: mapping.zappedPages }).toEqual({
      resident: 4,
      zapped: 2,
    });
    expect(mapping.translation(3)).toBe(-1);
  });

  it('drops its translations without the file losing pages', async () => {
    const { file, mapping } = await setUp();
    await mapping.touch(2, 8);
    mapping.drop(2, 4);
    expect(mapping.residentPages).toBe(4);
    expect(file.populated()).toEqual([{ start: 2, end: 8 }]);
    expect(mapping.zappedPages).toBe(0);
  });

  it('unmapped in parts, it leaves with the last, and only once', async () => {
    const { file, mapping } = await setUp();
    await mapping.touch(2, 8);
    await mapping.unmap(2, 5);
    expect({ resident: mapping.residentPages, registered: file.registrations }).toEqual({
      resident: 3,
      registered: 1,
    });
    await mapping.unmap(0, 20);
    await mapping.unmap(0, 20);
    expect({ mapped: mapping.mapped, registered: file.registrations }).toEqual({
      mapped: false,
      registered: 0,
    });
  });

  it('touched while it is being unmapped, translates only what is still mapped', async () => {
    const { mapping } = await setUp();
    const touched = mapping.touch(2, 6);
    const unmapped = mapping.unmap(2, 4);
    await Promise.all([touched, unmapped]);
    expect(mapping.translation(2)).toBe(-1);
    expect(mapping.residentPages).toBe(2);
  });

  it('touched amid an invalidation, waits for its end and gets the new page', async () => {
    const { file, mapping } = await setUp();
    await mapping.touch(2, 6);
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const punch = file.punchHole(2, 4);
    const touched = mapping.touch(2, 6);
    expect(mapping.translation(2)).toBe(-1);
    letGo();
    await Promise.all([punch, touched]);
    expect(mapping.residentPages).toBe(4);
    expect(file.populated()).toEqual([{ start: 2, end: 6 }]);
  });

  it('touched while the file becomes shorter, allocates nothing past its end', async () => {
    const { file, mapping } = await setUp();
    let agree = (): void => {};
    await file.register({ prepare: () => new Promise<void>((resolve) => (agree = resolve)) });
    const first = file.fallocate(0, 8);
    const shorter = file.truncate(4);
    const touched = mapping.touch(2, 8);
    agree();
    await Promise.all([first, shorter, touched]);
    expect(file.populated()).toEqual([{ start: 0, end: 4 }]);
    expect(mapping.residentPages).toBe(2);
  });
});
