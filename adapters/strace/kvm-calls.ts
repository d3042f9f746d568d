import { ArgumentReader, parseStruct, type Descriptor } from './arguments.js';
import { OTHER } from './fd-table.js';
import { parseNumber } from './numbers.js';
import type { Call } from './parse-line.js';
import type { Task } from './processes.js';
import type { Vm } from './vms.js';
import { phrase } from './words.js';
import { unreadable, type Handler, type World } from './world.js';

const ioctl: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  const fd = args.descriptor();
  const request = args.next();
  switch (request) {
    case 'KVM_CREATE_VM':
      task.fds.set(call.result, { type: 'vm', vm: world.vms.create() }, true);
      return undefined;
    case 'KVM_CREATE_VCPU':
      task.fds.set(call.result, OTHER, true);
      return undefined;
    case 'KVM_SET_USER_MEMORY_REGION':
      return setMemslot(call, task, world, fd, parseStruct(args.next()));
    default:
      return phrase('ioctl', request ?? '');
  }
};

function setMemslot(
  call: Call,
  task: Task,
  world: World,
  fd: Descriptor,
  fields: ReadonlyMap<string, string>,
): string | undefined {
  const slot = parseNumber(fields.get('slot'));
  const gpa = parseNumber(fields.get('guest_phys_addr'));
  const bytes = parseNumber(fields.get('memory_size'));
  const hva = parseNumber(fields.get('userspace_addr'));
  const flags = fields.get('flags');
  if (Number.isNaN(slot + gpa + bytes + hva) || flags === undefined) {
    return `ioctl KVM_SET_USER_MEMORY_REGION ${unreadable(call).slice(call.name.length + 1)}`;
  }
  if (bytes === 0) world.summary.memslotsDeleted += 1;
  else world.summary.memslotsSet += 1;
  const vm = vmAt(fd, task, world).id;
  world.emit({ type: 'memslot', vm, space: task.space, slot, flags, gpa, bytes, hva });
  return undefined;
}

/** The VM behind a descriptor; a successful memslot call on an unknown one says that it is one. */
function vmAt(descriptor: Descriptor, task: Task, world: World): Vm {
  const known = task.fds.get(descriptor);
  if (known?.type === 'vm') return known.vm;
  const vm = world.vms.create();
  task.fds.set(descriptor.fd, { type: 'vm', vm }, true);
  return vm;
}

/** ioctl: of all requests only KVM's memslots and what makes their descriptors. */
export const KVM_CALLS: Readonly<Record<string, Handler>> = { ioctl };
