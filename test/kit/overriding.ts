/**
 * `target` with some members replaced. Everything else is its own, also what is not known here, and
 * what it calls of itself is not replaced.
 */
export function overriding<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy({} as T, {
    get(_, key) {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key);
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    has: (_, key) => key in own || key in target,
  });
}
