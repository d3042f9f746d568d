import { readdirSync } from 'node:fs';
import { explore, type Exploration, type ExploreOptions } from '../explore/index.js';
import type { Exhibit } from './exhibit.js';

export type { Exhibit } from './exhibit.js';

export interface NamedExhibit extends Exhibit {
  readonly name: string;
}

/** Every exhibit, by name. */
export async function allExhibits(): Promise<NamedExhibit[]> {
  const folder = new URL('exhibits/', import.meta.url);
  const files = readdirSync(folder).filter((file) => /(?<!\.d)\.(?:js|ts)$/.test(file));
  return Promise.all(
    files.sort().map(async (file) => {
      const module = (await import(new URL(file, folder).href)) as { default: Exhibit };
      return { ...module.default, name: file.replace(/\.\w+$/, '') };
    }),
  );
}

/** Looks for the bug in what was wrong, and in ours. */
export async function visit(
  { faulty, ours }: Exhibit,
  options: ExploreOptions = {},
): Promise<{ readonly faulty: Exploration; readonly ours: Exploration }> {
  return { faulty: await explore(faulty, options), ours: await explore(ours, options) };
}
