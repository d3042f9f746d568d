import type { MemoryFile, NotifierEvent } from '../../../core/index.js';
import type { Call } from './world-consumer.js';

/** Who was asked to let go, and whether everybody has by the end. */
export class LetGo {
  readonly #calls: Call[] = [];
  /** The begins of which the end has not come. */
  readonly #begun: { file: MemoryFile; start: number; end: number; position: number }[] = [];

  asked(call: Call): void {
    this.#calls.push(call);
  }

  /** The first consumer of a file hears the end first: by then everybody has let go. */
  firstTold(
    file: MemoryFile,
    type: NotifierEvent['type'],
    start: number,
    end: number,
    position: number,
  ): string[] {
    if (type === 'invalidate') this.#begun.push({ file, start, end, position });
    if (type !== 'invalidateEnd') return [];
    const at = this.#begun.findIndex(
      (begin) => begin.file === file && begin.start === start && begin.end === end,
    );
    const begin = this.#begun.splice(at, 1)[0];
    return this.#calls
      .filter(({ position, working, consumer }) => {
        return position === begin?.position && working > 0 && !consumer.evicted;
      })
      .map(
        ({ name, position }) => `${name} has not let go at the end of what began at ${position}`,
      );
  }
}
