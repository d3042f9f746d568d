/** One suite; its results go to standard output as JSON. */
import { Suite } from './harness.js';

const suite = new Suite();
const { default: measure } = await import(`./suites/${process.argv[2]}.js`);
await measure(suite);
process.stdout.write(JSON.stringify(suite.results));
