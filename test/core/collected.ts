import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Resolves when what nobody refers to is gone; what was weakly referred to stays for a turn. */
export async function collected(): Promise<void> {
  await nextTurn();
  collect();
}
