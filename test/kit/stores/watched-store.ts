import {
  MemfileError,
  type Allocation,
  type BackingStore,
  type ContentMode,
  type FileSpec,
  type Side,
  type StoreFile,
  type StoreHost,
} from '../../../core/index.js';
import { ContentLedger } from './content-ledger.js';
import { FrameLedger } from './frame-ledger.js';
import { overriding } from '../overriding.js';
import { overridingFile } from './overriding-file.js';

/** A store, and books of all that it is asked and answers. */
export class WatchedStore {
  readonly ledger: FrameLedger;
  readonly contents: ContentLedger | undefined;
  readonly store: BackingStore;
  /** How often it was asked for anything but to create a file. */
  calls = 0;
  closed = 0;
  /** Whether it ever had less than it was asked for. */
  fellShort = false;
  /** How each file starts operations of its own, by id. */
  readonly hosts = new Map<number, StoreHost>();
  /** Each file as the store made it, by id. */
  readonly files = new Map<number, StoreFile>();
  /** Called with the pages of a file that are about to be free. */
  onFree: (file: number, start: number, end: number) => void = () => {};
  /** Called with the pages of a file that have changed sides. */
  onConvert: (file: number, start: number, end: number, to: Side) => void = () => {};
  readonly #inner: BackingStore;

  /** @param contents also marks what pages show, which costs time. */
  constructor(inner: BackingStore, contents = false) {
    const counted = inner.capabilities?.counted !== false;
    this.ledger = new FrameLedger(counted);
    this.contents = contents ? new ContentLedger(counted) : undefined;
    this.#inner = inner;
    this.store = overriding(inner, {
      createFile: (spec) => this.#watch(spec, inner.createFile(spec)),
      close: () => {
        this.closed++;
        return inner.close?.();
      },
    });
  }

  #watch({ id, name }: FileSpec<object>, inner: StoreFile): StoreFile {
    const { ledger, contents } = this;
    const { granule = 1 } = inner;
    this.files.set(id, inner);
    ledger.opened(id, granule);
    const who = `store "${this.#inner.name}", file "${name}"`;
    return overridingFile(inner, {
      attach: (host, state) => {
        this.hosts.set(id, host);
        inner.attach?.(host, state);
      },
      allocate: (start, end): Allocation => {
        this.calls++;
        const plan = inner.plan?.(start, end);
        try {
          const allocation = inner.allocate(start, end);
          this.fellShort ||= allocation.error !== undefined;
          ledger.planned(inner, start, end, plan, allocation.error);
          ledger.allocated(id, start, end, allocation);
          for (const run of allocation.runs) {
            contents?.arrived(id, inner, run.start, run.end, run.pfn);
          }
          return allocation;
        } catch (error) {
          this.fellShort = true;
          ledger.planned(inner, start, end, plan, error);
          if (!(error instanceof MemfileError)) {
            ledger.threw(11, `${who}: allocate [${start}, ${end})`, error);
          }
          throw error;
        }
      },
      free: (start, end, why) => {
        this.calls++;
        this.onFree(id, start, end);
        const { generation } = inner;
        const pages = ledger.pagesOf(id);
        try {
          const left = inner.free(start, end, why);
          ledger.freed(id, start, end, left);
          contents?.stayed(id, inner, ledger.framesIn(id, start, end));
          if (ledger.pagesOf(id) < pages) ledger.aged(id, generation, inner.generation);
          return left;
        } catch (error) {
          ledger.threw(4, `${who}: free [${start}, ${end}), which cannot be refused,`, error);
          throw error;
        }
      },
      convert: (start: number, end: number, to: Side, content: ContentMode): void => {
        this.calls++;
        inner.convert?.(start, end, to, content);
        contents?.converted(id, inner, ledger.framesIn(id, start, end), content);
        this.onConvert(id, start, end, to);
      },
      getLockPfn: (offset) => {
        this.calls++;
        try {
          const answer = inner.getLockPfn(offset);
          ledger.got(id, offset, answer);
          contents?.seen(id, inner, offset, answer.pfn);
          return answer;
        } catch (error) {
          ledger.threw(10, `${who}: getLockPfn of page ${offset}, which is there,`, error);
          throw error;
        }
      },
      putUnlockPfn: (pfn) => {
        this.calls++;
        try {
          inner.putUnlockPfn(pfn);
        } catch (error) {
          ledger.threw(9, `${who}: putUnlockPfn of frame ${pfn}, which is referenced,`, error);
          throw error;
        } finally {
          ledger.put(pfn);
        }
      },
    });
  }
}
