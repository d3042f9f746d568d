import {
  announced,
  answered,
  arrived,
  asked,
  begun,
  ended,
  left,
  registrationOf,
  returned,
  stayed,
  taken,
} from './changes.js';
import { REASONS } from './event.js';
import { evolve } from './evolve.js';
import type { Piece } from './reading.js';
import type { MemfileState } from './state.js';

/**
 * Folds the events of a piece that come next, those before position `to`, as {@link evolve} would
 * one by one: no object is made of the frequent ones. Every case reads what it needs by itself: a
 * compiler would convert what they share for all of them.
 */
export function evolvePiece(state: MemfileState, piece: Piece, to: number): void {
  const end = Math.min(piece.end, to);
  const { first, rows } = piece;
  if (rows === undefined) {
    for (let at = state.position + 1; at < end; at++) evolve(state, piece.at(at));
    return;
  }
  const { words, doubles } = rows;
  for (let at = state.position + 1; at < end; at++) {
    const row = (at - first) * 8;
    const wide = (at - first) * 4;
    const head = words[row]!;
    state.position = at;
    switch (head & 0xff) {
      case 1: {
        // fallocate
        const file = state.fileOf(head >>> 8);
        const start = doubles[wide + 2]!;
        const stop = start + words[row + 3]!;
        arrived(state, file, words[row + 2]!, start, stop, doubles[wide + 3]!);
        break;
      }
      case 2: {
        // invalidate
        const file = state.fileOf(head >>> 8);
        const operation = words[row + 2]!;
        if (at + 1 < end && words[row + 8] === head + 1 && words[row + 10] === operation) {
          // Its end comes next: nobody will ask what is open in between.
          if (file.open.size > 0) file.open.delete(operation);
          begun(state, operation);
          state.position = ++at;
          const start = doubles[wide + 6]!;
          left(file, start, start + words[row + 11]!, REASONS[words[row + 9]!]!);
        } else {
          const start = doubles[wide + 2]!;
          const stop = start + words[row + 3]!;
          announced(state, file, operation, start, stop, REASONS[words[row + 1]!]!);
        }
        break;
      }
      case 3: {
        // invalidateEnd
        const file = state.fileOf(head >>> 8);
        const start = doubles[wide + 2]!;
        const stop = start + words[row + 3]!;
        ended(file, words[row + 2]!, start, stop, REASONS[words[row + 1]!]!);
        break;
      }
      case 4: {
        // kept
        const start = doubles[wide + 2]!;
        stayed(state.fileOf(head >>> 8), words[row + 2]!, start, start + words[row + 3]!);
        break;
      }
      case 6: {
        // lookup
        const detail = words[row + 1]!;
        const owner = registrationOf(state, detail >>> 8);
        taken(owner, doubles[wide + 2]!, doubles[wide + 3]!, detail & 0xff);
        break;
      }
      case 7: {
        // put
        const detail = words[row + 1]!;
        const owner = registrationOf(state, detail >>> 8);
        returned(state, owner, doubles[wide + 2]!, doubles[wide + 3]!, detail & 0xff);
        break;
      }
      case 10: {
        // prepare
        const file = state.fileOf(head >>> 8);
        const isAnswered =
          at + 1 < end &&
          words[row + 8] === head - 9 &&
          words[row + 10] === words[row + 2] &&
          words[row + 11] === words[row + 3] &&
          doubles[wide + 6] === doubles[wide + 2];
        if (isAnswered) break; // All of it arrives with the next.
        const start = doubles[wide + 2]!;
        const stop = start + words[row + 3]!;
        asked(state, file, words[row + 2]!, start, stop, REASONS[words[row + 1]!]!);
        break;
      }
      case 11: {
        // rollback
        const start = doubles[wide + 2]!;
        answered(state.fileOf(head >>> 8), words[row + 2]!, start, start + words[row + 3]!);
        break;
      }
      case 8: // left
      case 13: // usable
      case 15: // error
      case 16: // delivery
      case 17: // answer
      case 18: // grace
      case 19: // time
        break;
      default:
        state.position = at - 1;
        evolve(state, piece.at(at));
    }
  }
}
