import { guestOver, stepFault, type Guest } from '../explore/index.js';
import type { KvmVm } from '../../adapters/kvm/index.js';
import type { ExhibitSpec } from './exhibit.js';

/** A VM is told that two pages leave, one beside the other, while a fault wants the first. */
export const leavingOneByOne: Pick<ExhibitSpec<typeof KvmVm, Guest>, 'setUp' | 'threads'> = {
  setUp: (stage, Vm) => guestOver(stage, { slow: true }, Vm),
  threads: {
    one: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    two: { 'punch [1, 2)': ({ file }) => file.punchHole(1, 2) },
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
  },
};
