import type { NotifierEvent } from '../../core/index.js';

/** How many positions back consumers may be from one another in being told the same event. */
const REMEMBERED = 2 ** 14;

/** What everybody who is told of a position is told. */
interface Said {
  position: number;
  type: NotifierEvent['type'];
  reason: NotifierEvent['reason'];
  file: number;
}

/** What was told at which position, as far as that is not too long ago. */
export class ToldEvents {
  /** By position, modulo their number. */
  readonly #ring: Said[] = [];
  #last: Said | undefined;

  /** Whether everybody was told the same at this position; true where it is not known any more. */
  agrees({ position, type, reason, file }: NotifierEvent): boolean {
    let said = this.#last;
    if (said?.position !== position) {
      const at = position % REMEMBERED;
      said = this.#ring[at];
      if (said === undefined) {
        this.#ring[at] = this.#last = { position, type, reason, file: file.id };
        return true;
      }
      if (said.position > position) return true;
      this.#last = said;
      if (said.position < position) {
        said.position = position;
        said.type = type;
        said.reason = reason;
        said.file = file.id;
        return true;
      }
    }
    return said.type === type && said.reason === reason && said.file === file.id;
  }
}
