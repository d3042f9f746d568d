import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemfileError,
  type MappingBudget,
  type StateSnapshot,
} from '../../core/index.js';
import { vfioDevice, type BarOptions, type BarRange } from '../../plugins/vfio-device/index.js';

const BAR: BarOptions = { pfn: 0xfe000, pages: 16 };

const setUp = (bars: readonly (BarOptions | undefined)[] = [BAR]) => {
  const device = vfioDevice({ bars });
  const memfile = createMemfile({ plugins: [device] });
  return { device, memfile };
};

describe('row 52: VFIO, what a region can be made of', () => {
  const size = 4;
  const whole: readonly BarRange[] = [{ offset: 0, length: 4 }];
  const high: BarOptions = { pfn: 2 ** 52 - 16, pages: 16 };
  const odd = (range: unknown) => ({ size, region: 0, ranges: [range] });

  it.each<[code: string, what: string, options: unknown, bars?: readonly BarOptions[]]>([
    ['EOPNOTSUPP', 'a device that gives no memory', { size, region: 0 }, []],
    ['EINVAL', 'no ranges', { size, region: 0, ranges: [] }],
    ['EINVAL', 'ranges that are no list', { size, region: 0, ranges: 4 }],
    ['EINVAL', 'flags', { size, region: 0, ranges: whole, flags: ['inaccessible'] }],
    ['ENODEV', 'the region of the ROM', { size, region: 6, ranges: whole }],
    ['ENODEV', 'a region past it', { size, region: 2 ** 32 - 1, ranges: whole }],
    ['ENODEV', 'a region that the device lacks', { size, region: 1, ranges: whole }],
    ['EINVAL', 'no region', { size, ranges: whole }],
    ['EINVAL', 'half a region', { size, region: 0.5, ranges: whole }],
    ['EINVAL', 'a length of 0', odd({ offset: 0, length: 0 })],
    ['EINVAL', 'a file without pages', { size: 0, region: 0 }],
    ['EINVAL', 'a length that is not in whole pages', odd({ offset: 0, length: 3.5 })],
    ['EINVAL', 'an offset that is not in whole pages', odd({ offset: 0.5, length: 4 })],
    ['EINVAL', 'a negative offset', odd({ offset: -1, length: 4 })],
    ['EINVAL', 'a length that is no number', odd({ offset: 0, length: NaN })],
    ['EINVAL', 'text', odd({ offset: '0', length: '4' })],
    ['EINVAL', 'null', odd(null)],
    [
      'EINVAL',
      'lengths whose sum overflows',
      {
        size,
        region: 0,
        ranges: [
          { offset: 0, length: 2 ** 52 },
          { offset: 4, length: 2 ** 52 },
        ],
      },
    ],
    ['EOVERFLOW', 'an offset past the last address', odd({ offset: 2 ** 52, length: 4 })],
    ['EOVERFLOW', 'an offset that no number holds exactly', odd({ offset: 2 ** 60, length: 4 })],
    ['EOVERFLOW', 'start and offset in sum past it', odd({ offset: 16, length: 4 }), [high]],
    ['EINVAL', 'a range that ends past the BAR', odd({ offset: 13, length: 4 })],
    ['EINVAL', 'a range that begins past the BAR', odd({ offset: 16, length: 4 })],
    [
      'EINVAL',
      'ranges that overlap',
      {
        size,
        region: 0,
        ranges: [
          { offset: 0, length: 2 },
          { offset: 1, length: 2 },
        ],
      },
    ],
    ['EINVAL', 'ranges that are not the size', { size: 5, region: 0, ranges: whole }],
  ])('%s: %s', (code, _, options, bars) => {
    const { memfile } = setUp(bars);
    const before: StateSnapshot = memfile.state.toJSON();
    const create = () => memfile.createFile('vfio-device', options as never);
    expect(create).toThrow(MemfileError);
    expect(create).toThrow(new RegExp(`^${code}:.*createFile`));
    expect(memfile.state.toJSON()).toEqual(before);
    expect(memfile.files.size).toBe(0);
  });

  it('the last page of the BAR, the last page of all, and ranges in any order are fine', () => {
    const { memfile } = setUp([high]);
    const ranges = [
      { offset: 15, length: 1 },
      { offset: 0, length: 2 },
    ];
    const file = memfile.createFile('vfio-device', { size: 3, region: 0, ranges });
    expect(file.populated()).toEqual([{ start: 0, end: 3 }]);
    expect(memfile.state.toJSON().files[0]?.frames).toEqual([
      [0, 1, 2 ** 52 - 1],
      [1, 3, 2 ** 52 - 16],
    ]);
  });
});

describe('row 52: VFIO, what can be done with a region', () => {
  const withFile = async () => {
    const { device, memfile } = setUp();
    const file = memfile.createFile('vfio-device', { size: 16, region: 0, name: 'bar' });
    const told: string[] = [];
    const registration = await file.register({
      name: 'importer',
      fallocate: () => void told.push('un-revoked'),
      invalidate: () => void told.push('revoked'),
    });
    return { device, memfile, file, told, registration };
  };

  it('map while revoked → ENODEV', async () => {
    const { device, registration } = await withFile();
    expect(registration.lookup(15)).toMatchObject({ pfn: 0xfe00f });
    await device.revoke();
    expect(() => registration.lookup(15)).toThrow(/^ENODEV/);
  });

  it('map past the BAR → EINVAL, revoked or not', async () => {
    const { device, registration } = await withFile();
    expect(() => registration.lookup(16)).toThrow(/^EINVAL/);
    await device.revoke();
    expect(() => registration.lookup(16)).toThrow(/^EINVAL/);
  });

  it('revoke twice → one notification; un-revoke → notification', async () => {
    const { device, told } = await withFile();
    await device.revoke();
    await device.revoke();
    expect(told).toEqual(['revoked']);
    await device.enable();
    expect(told).toEqual(['revoked', 'un-revoked']);
  });

  it('an importer that cannot be revoked → EOPNOTSUPP', async () => {
    const { file } = await withFile();
    const pins = file.register({ name: 'rdma' }, { follows: 'pinned' });
    await expect(pins).rejects.toMatchObject({ code: 'EOPNOTSUPP', effect: 'none' });
  });

  it('2 ranges to an importer that maps one → EOPNOTSUPP', async () => {
    const { memfile, file } = await withFile();
    const one: MappingBudget = {
      limit: 1,
      used: 0,
      cost(pages) {
        if (pages.length === 1) return 1;
        throw new MemfileError('EOPNOTSUPP', 'map', `${pages.length} ranges, and not one`);
      },
    };
    await file.register({ name: 'iommufd' }, { budget: one });
    const ranges = [
      { offset: 0, length: 1 },
      { offset: 2, length: 1 },
    ];
    const two = memfile.createFile('vfio-device', { size: 2, region: 0, ranges });
    const refused = two.register({ name: 'iommufd' }, { budget: one });
    await expect(refused).rejects.toMatchObject({ code: 'EOPNOTSUPP' });
  });

  it('fallocate, punch and convert → EOPNOTSUPP; truncate → EINVAL; nobody is told', async () => {
    const { memfile, file, told } = await withFile();
    const { position } = memfile.state;
    for (const [code, call] of [
      ['EOPNOTSUPP', () => file.fallocate(0, 1)],
      ['EOPNOTSUPP', () => file.fallocate(16, 17)],
      ['EOPNOTSUPP', () => file.punchHole(0, 1)],
      ['EOPNOTSUPP', () => file.convert(0, 1, 'private')],
      ['EOPNOTSUPP', () => file.convert(0, 1, 'shared', { content: 'zero' })],
      ['EINVAL', () => file.truncate(15)],
      ['EINVAL', () => file.truncate(17)],
    ] as const) {
      await expect(call()).rejects.toMatchObject({ code, effect: 'none' });
    }
    await file.truncate(16);
    expect(told).toEqual([]);
    expect(memfile.state.position).toBe(position);
  });
});
