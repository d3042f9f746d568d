import { createGunzip } from 'node:zlib';

export function isGzip(head: Buffer): boolean {
  return head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Inflates chunk by chunk and answers whether the stream was cut short. Written by hand instead of
 * piped, because a pipe throws away what was inflated before the cut.
 */
export async function* inflate(
  compressed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, boolean, void> {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  let inflated: Buffer[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  let ended = false;
  let wake = (): void => {};
  gunzip.on('data', (chunk: Buffer) => inflated.push(chunk));
  gunzip.on('end', () => {
    ended = true;
    wake();
  });
  gunzip.on('error', (error) => {
    failure = error;
    wake();
  });
  const step = (start: (done: () => void) => void): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      start(resolve);
    });

  try {
    for await (const chunk of compressed) {
      // Bytes behind the end of the stream are not its business: it never calls back for them.
      await step((done) => gunzip.write(chunk, done));
      yield* inflated;
      inflated = [];
      if (ended || failure) break;
    }
    if (!ended && !failure) await step(() => gunzip.end());
    yield* inflated;
  } finally {
    gunzip.destroy();
  }
  if (failure && failure.code !== 'Z_BUF_ERROR') throw failure;
  return failure !== undefined;
}
