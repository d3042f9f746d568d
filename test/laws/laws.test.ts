import { shmem } from '../../plugins/shmem/index.js';
import { describeBackingStore } from '../kit/index.js';

describeBackingStore('shmem', () => shmem(), { runs: 500 });
