import { EncryptedDevice } from '../../adapters/encrypted-device/index.js';
import { KvmVm } from '../../adapters/kvm/index.js';
import { VmmMapping } from '../../adapters/vmm-mapping/index.js';
import { describeConsumer } from '../kit/index.js';

// Every consumer of the project keeps its side of the laws; one call each.
describeConsumer('VmmMapping', async (file, { witness }) => {
  const range = { start: 0, end: 16 };
  const mapping = await VmmMapping.create(file, { range, witness });
  return {
    touch: (start, end) => mapping.touch(start, end),
    frameOf: (page) => mapping.translation(page),
    [Symbol.asyncDispose]: () => mapping[Symbol.asyncDispose](),
  };
});

describeConsumer('KvmVm', async (file, { witness, scheduler }) => {
  const vm = new KvmVm({ witness, scheduler });
  await vm.setMemslot({ slot: 0, gfn: 0, pages: 12, guestMemfd: { file, offset: 0 } });
  return {
    touch: (start, end) => vm.touch(file, start, end),
    frameOf: (page) => vm.stage2.get(page),
    [Symbol.asyncDispose]: () => vm[Symbol.asyncDispose](),
  };
});

describeConsumer('EncryptedDevice', async (file, { witness, scheduler }) => {
  const device = new EncryptedDevice({ witness, scheduler });
  await device.attach(file);
  await device.lock();
  await device.start();
  return {
    // It maps what is there; it brings nothing by itself.
    touch: (start, end) => file.fallocate(start, end, { keepSize: true }).catch(() => {}),
    frameOf: (page) => device.table.translate(page),
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
});
