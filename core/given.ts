/**
 * What a class extends to put private fields of its own on an object that it did not make: where a
 * `WeakMap` beside the object would cost more than everything else that is done with it.
 */
export const Given = function (object: object): object {
  return object;
} as unknown as new (object: object) => object;
