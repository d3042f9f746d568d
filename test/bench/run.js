/** Runs the suites, each in a process of its own; see README.md. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const SUITES = [
  'dispatch',
  'observers',
  'ranges',
  'churn',
  'srcu',
  'operation',
  'fault',
  'pages',
  'journal',
  'sqlite',
  'cli',
  'kernel',
];

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean' },
    markdown: { type: 'boolean' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !SUITES.includes(name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no suite ${unknown.join(', ')}`);
  console.log(`npm run bench -- [--json | --markdown] [SUITE…]\nsuites: ${SUITES.join(', ')}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const results = {};
for (const name of positionals.length > 0 ? positionals : SUITES) {
  const started = performance.now();
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--max-old-space-size=8192',
      new URL('suite.js', import.meta.url).pathname,
      name,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (status !== 0) {
    console.error(`suite ${name} failed`);
    process.exitCode = 1;
    continue;
  }
  results[name] = JSON.parse(stdout);
  if (!values.json && !values.markdown)
    print(name, results[name], (performance.now() - started) / 1000);
}
if (values.json) console.log(JSON.stringify(results, null, 2));
if (values.markdown) console.log(markdown());

/** Each case with its candidates, and how many times memfile's figure theirs is. */
function print(suite, cases, seconds) {
  console.log(`\n${suite} (${seconds.toFixed(0)} s)`);
  for (const [title, candidates] of Object.entries(cases)) {
    console.log(`  ${title}`);
    const [[, own]] = Object.entries(candidates);
    for (const [name, value] of Object.entries(candidates)) {
      const ratio = value === own || own <= 0 ? '' : `${(value / own).toPrecision(3)}x`;
      console.log(`    ${name.padEnd(40)} ${format(value).padStart(12)} ${ratio.padStart(10)}`);
    }
  }
}

/** The table of README.md. */
function markdown() {
  const rows = Object.entries(results).flatMap(([suite, cases]) =>
    Object.entries(cases).map(([title, candidates]) => {
      const told = (own) =>
        Object.entries(candidates)
          .filter(([name]) => name.startsWith('memfile') === own)
          .map(([name, value]) => (own && name === 'memfile' ? '' : `${name} `) + format(value))
          .join('; ');
      return `| ${suite} | ${title} | ${told(true)} | ${told(false)} |`;
    }),
  );
  return ['| suite | case | memfile | beside it |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function format(value) {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
