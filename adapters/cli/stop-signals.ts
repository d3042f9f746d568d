import { EXIT } from './exit.js';

/** Lets work that can be stopped in the middle end well when a signal asks for it. */
export class StopSignals {
  /** The exit status that the signal asks for, once there was one. */
  code: number | undefined;
  readonly #interrupt = (): void => {
    this.code = EXIT.interrupted;
  };
  readonly #terminate = (): void => {
    this.code = EXIT.terminated;
  };

  constructor() {
    process.once('SIGINT', this.#interrupt);
    process.once('SIGTERM', this.#terminate);
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#interrupt);
    process.off('SIGTERM', this.#terminate);
  }
}
