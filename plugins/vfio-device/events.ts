import { defineEvents, EventHistory, type EventDefinition } from '../../core/index.js';

/** Whether the memory is enabled, and where its BARs are, whenever one of them has changed. */
export interface DeviceEvent extends DeviceMemory {
  readonly type: 'memory';
}

export interface DeviceMemory {
  readonly revoked: boolean;
  /** By region number, the first frame of the BAR. */
  readonly pfns: readonly (number | null)[];
}

/** What a device of that name records of its own; its state is null before the first event. */
export function deviceEvents(name: string): EventDefinition<DeviceEvent, DeviceMemory | null> {
  return defineEvents({
    name,
    history: EventHistory.first<DeviceEvent>(),
    initial: null,
    evolve: (_before: DeviceMemory | null, { revoked, pfns }): DeviceMemory => ({ revoked, pfns }),
  });
}
