import { fileURLToPath } from 'node:url';

/** A module of what was built, as the text of a program that imports it names it. */
export function built(path: string): string {
  return JSON.stringify(fileURLToPath(new URL(`../../dist/${path}`, import.meta.url)));
}
