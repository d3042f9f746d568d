import type { StoreFile, StoreHost } from '../../../core/index.js';
import { overriding } from '../overriding.js';

/**
 * As `overriding`, of a file that has the same pages as `inner` and lets it free each once: so the
 * table of frames that it is given is its own to hand on.
 */
export function overridingFile(inner: StoreFile, own: Partial<StoreFile>): StoreFile {
  const outer: StoreFile = overriding(inner, {
    ...own,
    attach(host, state) {
      const frames: StoreHost['frames'] = (of) => (of === inner ? host.frames?.(outer) : undefined);
      const handedOn = { ...host, frames };
      if (own.attach === undefined) inner.attach?.(handedOn, state);
      else own.attach(handedOn, state);
    },
  });
  return outer;
}
