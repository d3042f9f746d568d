/** memfile as an application has it: the built package through its public entries. */
import { createMemfile } from '../../dist/core/index.js';
import { shmem } from '../../dist/plugins/shmem/index.js';

export function newFile(size) {
  const memfile = createMemfile({ plugins: [shmem()] });
  return { memfile, file: memfile.createFile('shmem', { size }) };
}
