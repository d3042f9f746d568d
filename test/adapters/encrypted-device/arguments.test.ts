import { expect, it } from 'vitest';
import { EncryptedDevice } from '../../../adapters/encrypted-device/index.js';
import { PAGE, setUp } from './set-up.js';

it.each([
  null,
  5,
  { name: 5 },
  { limit: -1 },
  { limit: '5' },
  { limit: Symbol('limit') },
  { pins: 'no' },
  { access: 'x' },
  { key: 5 },
  { key: () => null },
  { key: () => new Uint8Array(64) },
  { scheduler: {} },
  { scheduler: null },
])('EINVAL: a device with the options %o', (options) => {
  expect(() => new EncryptedDevice(options as never)).toThrow(
    expect.objectContaining({ name: 'MemfileError', code: 'EINVAL' }),
  );
});

it('what is no file or no window is refused, and the window stays free', async () => {
  const { memfile, device } = await setUp({}, { start: 0, end: 1 });
  const file = memfile.createFile('shmem', { size: 4 });
  const { position } = memfile.journal;
  for (const [what, options] of [
    [null],
    [undefined],
    [5],
    [{}],
    [file, null],
    [file, 5],
    [file, { range: null, iova: 1 }],
    [file, { range: {}, iova: 1 }],
    [file, { iova: Symbol('iova') }],
  ] as const) {
    await expect(device.attach(what as never, options as never)).rejects.toMatchObject({
      name: 'MemfileError',
      code: 'EINVAL',
    });
  }
  expect({ position: memfile.journal.position, files: device.attachments.length }).toEqual({
    position,
    files: 1,
  });
  await device.attach(file, { iova: 1 });
});

it('DMA of what are no bytes, or of more than there is memory for', async () => {
  const { file, device, contents } = await setUp();
  await file.fallocate(0, 1);
  for (const bytes of [null, undefined, 5, 'abc', [1, 2], new Uint16Array([256])]) {
    await expect(device.write(0, bytes as never)).rejects.toMatchObject({
      name: 'MemfileError',
      code: 'EINVAL',
      syscall: 'write',
    });
  }
  await expect(device.write(Symbol('address') as never, new Uint8Array(1))).rejects.toMatchObject({
    code: 'EINVAL',
  });
  await expect(device.read(0, 2 ** 52)).rejects.toMatchObject({ code: 'ENOMEM', syscall: 'read' });
  expect(contents(0)).toEqual(new Uint8Array(PAGE));
});
