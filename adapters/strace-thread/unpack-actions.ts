import type { TraceAction } from '../strace/index.js';
import type { MirroredSpaces } from './mirrored-spaces.js';
import { KIND, WIDTH, type Other, type PackedActions } from './packed-actions.js';

/**
 * The batches as they were packed. A batch is whole before it is handed out, so that the spaces are
 * then as they are after its last action.
 */
export function* unpackActions(
  { rows, batches, others }: PackedActions,
  spaces: MirroredSpaces,
): Generator<readonly TraceAction[]> {
  let at = 0;
  let next = 0;
  for (const length of batches) {
    const actions: TraceAction[] = [];
    for (const end = at + length * WIDTH; at < end; at += WIDTH) {
      if (rows[at] === KIND.other) actions.push(spoken(others[next++]!, spaces));
      else actions.push(counted(rows, at, spaces));
    }
    yield actions;
  }
}

function spoken({ space, ...action }: Other, spaces: MirroredSpaces): TraceAction {
  return (space === undefined ? action : { ...action, space: spaces.get(space) }) as TraceAction;
}

function counted(rows: Float64Array, at: number, spaces: MirroredSpaces): TraceAction {
  const a = rows[at + 1]!;
  const b = rows[at + 2]!;
  const c = rows[at + 3]!;
  const d = rows[at + 4]!;
  switch (rows[at]) {
    case KIND.allocate:
      return { type: 'allocate', file: a, offset: b, length: c, keepSize: d === 1 };
    case KIND.punch:
      return { type: 'punch', file: a, offset: b, length: c };
    case KIND.drop:
      return { type: 'drop', mapping: a, space: spaces.get(b), address: c, length: d };
    case KIND.remove:
      return { type: 'remove', file: a, mapping: b, offset: c, length: d };
    case KIND.map: {
      const where = { address: c, length: d, offset: rows[at + 6]! };
      const file = rows[at + 5]!;
      spaces.map(b, a, file, where);
      return { type: 'map', mapping: a, space: spaces.get(b), file, ...where };
    }
    case KIND.unmap: {
      spaces.unmap(b, c, d);
      const gone = rows[at + 5] === 1;
      return { type: 'unmap', mapping: a, space: spaces.get(b), address: c, length: d, gone };
    }
    case KIND.resize:
      return { type: 'resize', file: a, bytes: b };
    case KIND.destroy:
      return { type: 'destroy', vm: a };
    case KIND.release:
      spaces.release(a);
      return { type: 'release', file: a };
    default:
      throw new RangeError(`there is no action of kind ${rows[at]}`);
  }
}
