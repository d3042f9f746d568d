import { report } from './injection.js';

await report(console.log);
