/**
 * A copy of plain data without one of its properties, as it comes out of JSON again: what an object
 * has as undefined is not there.
 * @throws TypeError that says what is no plain data.
 */
export function plainCopy(value: object, without?: string): Readonly<Record<string, unknown>> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === without) continue;
    if (key === '__proto__') throw new TypeError('a prototype is none');
    const part = (value as Readonly<Record<string, unknown>>)[key];
    if (part !== undefined) copy[key] = plain(part);
  }
  return copy;
}

function plain(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value === 0 ? 0 : value; // There is no -0.
      break;
    case 'object': {
      if (value === null) return value;
      if (Array.isArray(value)) return value.map(plain);
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return plainCopy(value);
    }
  }
  throw new TypeError(`${String(value)} is none`);
}
