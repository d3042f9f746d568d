import { MemfileError } from '../../core/index.js';
import type { MemslotPiece } from './piece.js';

/**
 * Converts pages of files, all or none: when one is refused, those before it are converted back in
 * reverse. Answers the first failure that did not keep the conversion from taking place.
 * @throws MemfileError as `convert`; `effect` 'partial' when converting back was refused too.
 */
export async function convertPieces(
  pieces: readonly MemslotPiece[],
  to: 'private' | 'shared',
): Promise<MemfileError | undefined> {
  const done: MemslotPiece[] = [];
  let failed: MemfileError | undefined;
  for (const piece of pieces) {
    const error = await convertPiece(piece, to);
    if (error !== undefined && error.effect !== 'done') throw await undo(done, to, error);
    failed ??= error;
    done.push(piece);
  }
  return failed;
}

async function undo(
  done: readonly MemslotPiece[],
  to: 'private' | 'shared',
  refused: MemfileError,
): Promise<MemfileError> {
  const stayed: MemfileError[] = [];
  for (const piece of [...done].reverse()) {
    const error = await convertPiece(piece, to === 'private' ? 'shared' : 'private');
    if (error !== undefined && error.effect !== 'done') stayed.push(error);
  }
  if (stayed.length === 0) return refused;
  const detail = `${refused.message}; and ${stayed.length} pieces could not be converted back`;
  const { code, refused: by } = refused;
  const cause = new AggregateError([refused, ...stayed], detail);
  return new MemfileError(code, 'setMemoryAttributes', detail, {
    effect: 'partial',
    refused: by,
    cause,
  });
}

async function convertPiece(
  { file, offset, pages }: MemslotPiece,
  to: 'private' | 'shared',
): Promise<MemfileError | undefined> {
  try {
    await file.convert(offset, offset + pages, to);
    return undefined;
  } catch (error) {
    return error as MemfileError;
  }
}
