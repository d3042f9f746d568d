import { readdirSync } from 'node:fs';
import type { Litmus, NamedLitmus, Verdict } from '../explore/index.js';

const FILE = /^(.+)\.(never|sometimes|always)\.(?:js|ts)$/;

/** The litmus tests of this folder, in the order of their laws. */
export async function allLitmus(): Promise<NamedLitmus[]> {
  const files = readdirSync(new URL('.', import.meta.url)).sort();
  const found = files.flatMap((file) => {
    const [, name, verdict] = FILE.exec(file) ?? [];
    return name === undefined ? [] : [{ file, name, verdict: verdict as Verdict }];
  });
  return Promise.all(
    found.map(async ({ file, name, verdict }) => {
      const module = (await import(new URL(file, import.meta.url).href)) as { default: Litmus };
      return { ...module.default, name, verdict };
    }),
  );
}
