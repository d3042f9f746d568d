/** KVM faults over 2^20 pages in random order: lookup, seq check, map, put, all of it recorded. */
import { KvmVm, newFault, step } from '../../../dist/adapters/kvm/index.js';
import { lcg, median } from '../harness.js';
import { newFile } from '../memfile.js';

const PAGES = 2 ** 20;

export default async function fault(suite) {
  const order = Uint32Array.from({ length: PAGES }, (_, i) => i);
  const random = lcg(3);
  for (let i = PAGES - 1; i > 0; i--) {
    const j = random(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const samples = { 'memfile, awaited': [], 'memfile, by steps': [], 'Map and array': [] };
  for (let round = 0; round < 3; round++) {
    const { memfile, file } = newFile(PAGES);
    await file.fallocate(0, PAGES);
    for (const how of ['memfile, awaited', 'memfile, by steps']) {
      const vm = new KvmVm({ name: 'vm' });
      await vm.setMemslot({ slot: 0, gfn: 0, pages: PAGES, guestMemfd: { file, offset: 0 } });
      const start = process.hrtime.bigint();
      if (how === 'memfile, awaited') for (const gfn of order) await vm.fault(gfn);
      else {
        for (const gfn of order) {
          const fault = newFault(gfn);
          while (fault.next !== 'done') step(vm, fault);
        }
      }
      samples[how].push(Number(process.hrtime.bigint() - start) / PAGES);
      if (vm.stage2.pages !== PAGES) throw new Error(`mapped ${vm.stage2.pages}`);
      await vm[Symbol.asyncDispose]();
    }
    await memfile[Symbol.asyncDispose]();
    samples['Map and array'].push(byHand(order));
  }
  for (const [how, each] of Object.entries(samples)) {
    suite.note(`${PAGES} pages in random order, ns a fault`, how, median(each));
  }
}

/** A frame, a check, a mapping in a Map, two rows as objects; nothing else. */
function byHand(order) {
  const frames = Float64Array.from({ length: PAGES }, (_, i) => i + 1);
  const stage2 = new Map();
  const log = [];
  const seq = 0;
  const start = process.hrtime.bigint();
  for (const gfn of order) {
    const before = seq;
    const pfn = frames[gfn];
    log.push({ type: 'lookup', offset: gfn, pfn });
    if (before === seq) stage2.set(gfn, pfn);
    log.push({ type: 'put', offset: gfn, pfn });
  }
  return Number(process.hrtime.bigint() - start) / PAGES;
}
