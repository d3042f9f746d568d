/** One copy of this package in a process; there should be one. */
export interface Copy {
  readonly version: string;
  /** Where it was loaded from. */
  readonly url: string;
}

/** The same for every copy, so that they can tell whose an object is. */
const BRAND = Symbol.for('memfile.copy');

/** The version is that of package.json; a test compares them. */
export const COPY: Copy = { version: '0.1.0', url: import.meta.url };
const MARK = { [BRAND]: COPY };

/** Marks a class, and so its instances, or one object and copies of it, as made by this copy. */
export function brand<T extends object>(made: T): T {
  if (typeof made !== 'function') return Object.assign(made, MARK);
  Object.defineProperty(Reflect.get(made, 'prototype'), BRAND, { value: COPY });
  return made;
}

/** The other copy that an object comes from; undefined when it is of this one, or nobody's. */
export function otherCopyOf(value: unknown): Copy | undefined {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return undefined;
  const copy = (value as { readonly [BRAND]?: Copy })[BRAND];
  return copy === COPY ? undefined : copy;
}

/** For people. */
export function describeCopy({ version, url }: Copy): string {
  return `${version} at ${url}`;
}

/** What to say of an object that comes from another copy. */
export function fromAnotherCopy(theirs: Copy): string {
  return (
    `comes from another copy of memfile, ${describeCopy(theirs)}; this one is ` +
    `${describeCopy(COPY)}; let both import the same one (npm ls memfile says who brings which)`
  );
}
