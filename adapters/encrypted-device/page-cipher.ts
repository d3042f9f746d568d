import { createCipheriv, createDecipheriv } from 'node:crypto';
import { MemfileError } from '../../core/index.js';

/** AES-256-XTS takes two keys of 256 bits. */
export const KEY_BYTES = 64;

const ALGORITHM = 'aes-256-xts';

/**
 * Encrypts whole page frames: AES-256-XTS, one data unit a page, with the frame's number as tweak.
 * So the same page encrypts otherwise in another frame, or under another key. As with the memory
 * encryption of hardware nothing is authenticated: what does not belong there decrypts to noise.
 */
export class PageCipher {
  readonly #key: Uint8Array;

  /** @throws MemfileError EINVAL for a key that is not 64 bytes in two different halves. */
  constructor(key: Uint8Array) {
    try {
      createCipheriv(ALGORITHM, key, tweak(0)).destroy();
    } catch (cause) {
      const detail = `a key is ${KEY_BYTES} bytes in two different halves`;
      throw new MemfileError('EINVAL', 'key', detail, { cause });
    }
    this.#key = Uint8Array.from(key);
  }

  encrypt(pfn: number, plain: Uint8Array): Uint8Array {
    return createCipheriv(ALGORITHM, this.#key, tweak(pfn)).update(plain);
  }

  decrypt(pfn: number, encrypted: Uint8Array): Uint8Array {
    return createDecipheriv(ALGORITHM, this.#key, tweak(pfn)).update(encrypted);
  }
}

/** The frame's number, little-endian. */
function tweak(pfn: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(pfn), true);
  return bytes;
}
