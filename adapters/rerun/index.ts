export { rerun, type Divergence } from './rerun.js';
