import type { JournalEvent, Recorded } from '../../core/index.js';

type Report = (law: number, detail: string) => void;
type EventOf<Type extends JournalEvent['type']> = Extract<JournalEvent, { readonly type: Type }>;
type Callback = EventOf<'delivery'>['callback'];

type CommittedType =
  | 'fallocate'
  | 'invalidate'
  | 'invalidateEnd'
  | 'prepare'
  | 'rollback'
  | 'usable'
  | 'error';

interface Consumer {
  readonly id: number;
  readonly name: string;
  readonly file: number;
  readonly start: number;
  readonly end: number;
  /** Of which side it has pages, when it is not both. */
  readonly access: 'private' | 'shared' | undefined;
  left: boolean;
  evicted: boolean;
  /** What it has to be told next. */
  due: Telling | undefined;
  /** Operations of which it was told the begin and not the end. */
  readonly begun: Set<number>;
  /** What it is still at work on: how many callbacks, by operation and callback. */
  readonly waits: Map<string, number>;
}

/** An event that consumers are being told of. */
interface Telling {
  readonly type: Callback;
  position: number;
  readonly file: number;
  readonly operation: number;
  readonly start: number;
  end: number;
  /** How many consumers it is due to; undefined when that is not for the event to say. */
  pending: number | undefined;
  /** The last who was told. */
  last: number;
}

/** What consumers were told and answered, where that is recorded. */
export class DeliveriesLedger {
  /** Whether it is. */
  witnessed = false;
  readonly #consumers = new Map<number, Consumer>();
  readonly #byFile = new Map<number, Set<Consumer>>();
  /** Files of which pages may be private. */
  readonly #converted = new Set<number>();
  #gone: Consumer[] = [];
  #telling: Telling | undefined;

  register(event: Omit<EventOf<'register'>, 'type'>, report: Report): void {
    const { registration: id, name, file, start, end, access } = event;
    if (this.#consumers.has(id)) report(5, `registration ${id} is there already`);
    const fresh = { left: false, evicted: false, due: undefined };
    const work = { begun: new Set<number>(), waits: new Map<string, number>() };
    const consumer: Consumer = { id, name, file, start, end, access, ...fresh, ...work };
    this.#consumers.set(id, consumer);
    const here = this.#byFile.get(file);
    if (here === undefined) this.#byFile.set(file, new Set([consumer]));
    else here.add(consumer);
  }

  converted({ file }: EventOf<'convert'>): void {
    this.#converted.add(file);
  }

  /** An event is committed of which consumers are told next. */
  committed(event: Recorded<EventOf<CommittedType>>, report: Report): void {
    if (!this.witnessed) return;
    const { position, file, operation, start, end } = event;
    const type = event.type === 'usable' ? 'fallocate' : event.type;
    const open = this.#telling;
    if (event.reason === 'convert') this.#converted.add(file);
    const goesOn =
      open?.type === 'fallocate' &&
      open.operation === operation &&
      open.end === start &&
      open.pending !== undefined;
    if (event.type === 'fallocate' && goesOn && open.last === 0) {
      // An arrival is a row for every run of frames; they are one event.
      open.position = position;
      open.end = end;
      this.#concern(open);
      return;
    }
    this.settle(report);
    const pending = undefined;
    this.#telling = { type, position, file, operation, start, end, pending, last: 0 };
    if (event.type === 'usable') return; // To whom is not said.
    if (type === 'fallocate' || type === 'invalidate' || type === 'invalidateEnd') {
      this.#concern(this.#telling);
    }
    if (type === 'invalidateEnd') this.#haveLetGo(operation, report);
  }

  replayed({ position, callback, file, operation, start, end }: Recorded<EventOf<'replay'>>): void {
    const pending = undefined;
    this.#telling = { type: callback, position, file, operation, start, end, pending, last: 0 };
  }

  told(event: EventOf<'delivery'>, report: Report): void {
    const { registration, of, callback, operation, start, end } = event;
    const telling = this.#telling;
    const consumer = this.#consumers.get(registration);
    if (consumer === undefined || consumer.left) {
      report(6, `registration ${registration} is told while it is not registered`);
      return;
    }
    const { name } = consumer;
    if (telling?.position !== of || telling.type !== callback || telling.operation !== operation) {
      report(1, `"${name}" is told of ${callback} at ${of}, which is not what comes now`);
      return;
    }
    const from = Math.max(telling.start, consumer.start);
    const to = Math.min(telling.end, consumer.end);
    if (start !== from || end !== to) {
      report(7, `"${name}" is told [${start}, ${end}), and [${from}, ${to}) is its part`);
    }
    if (!settled(telling, consumer) && this.#isToldAll(consumer)) {
      report(7, `"${name}" is told a second time`);
    }
    const newestFirst = callback === 'invalidate' || callback === 'rollback';
    if (telling.last !== 0 && newestFirst !== registration < telling.last) {
      report(1, `"${name}" is told after registration ${telling.last}`);
    }
    telling.last = registration;
    if (callback === 'invalidate') consumer.begun.add(operation);
    if (callback === 'invalidateEnd') consumer.begun.delete(operation);
  }

  answered(
    { registration, operation, callback, outcome }: EventOf<'answer'>,
    report: Report,
  ): void {
    const consumer = this.#consumers.get(registration);
    const key = `${operation} ${callback}`;
    const waits = consumer?.waits.get(key) ?? 0;
    if (outcome === 'waits') consumer?.waits.set(key, waits + 1);
    else if (waits > 1) consumer?.waits.set(key, waits - 1);
    else if (consumer?.waits.delete(key) !== true) {
      report(6, `registration ${registration} is done with ${callback}, which it was not at`);
    }
  }

  evicted({ registration }: EventOf<'evict'>): void {
    const consumer = this.#consumers.get(registration);
    if (consumer !== undefined) consumer.evicted = true;
  }

  leftAmid({ registration, operation, start, end }: EventOf<'left'>, report: Report): void {
    const consumer = this.#consumers.get(registration);
    if (consumer === undefined) report(3, `registration ${registration} leaves and is not there`);
    else if (start < consumer.start || end > consumer.end) {
      report(7, `"${consumer.name}" leaves amid what is not its part`);
    }
    if (consumer?.begun.delete(operation) === false && this.witnessed && this.#telling) {
      report(3, `"${consumer.name}" leaves amid operation ${operation}, of which it was not told`);
    }
  }

  unregister({ registration }: EventOf<'unregister'>, report: Report): void {
    const consumer = this.#consumers.get(registration);
    if (consumer === undefined || consumer.left) {
      report(6, `registration ${registration} leaves and is not there`);
      return;
    }
    for (const operation of consumer.begun) {
      report(3, `"${consumer.name}" leaves, and nothing says that it hears no end of ${operation}`);
    }
    consumer.left = true;
    this.#byFile.get(consumer.file)!.delete(consumer);
    if (this.#telling !== undefined) settled(this.#telling, consumer);
    this.#gone.push(consumer);
  }

  graceOver({ registration }: EventOf<'grace'>, report: Report): void {
    const consumer = this.#consumers.get(registration);
    if (consumer?.left === false) report(6, `"${consumer.name}" has not left`);
    for (const what of consumer?.waits.keys() ?? []) {
      report(6, `"${consumer!.name}" is still at work: operation ${what}`);
    }
    this.#consumers.delete(registration);
  }

  /** Another process goes on: nobody of the one before is told anything any more. */
  reopened(witnessed: boolean, isOpen: (operation: number) => boolean): void {
    this.witnessed = witnessed;
    this.#telling = undefined;
    for (const { waits, begun } of this.#consumers.values()) {
      waits.clear();
      for (const operation of begun) if (!isOpen(operation)) begun.delete(operation);
    }
  }

  /** Whoever had to be told of the last event has been. */
  settle(report: Report): void {
    const telling = this.#telling;
    if (telling?.pending) {
      for (const { name, due } of this.#byFile.get(telling.file)!) {
        if (due !== telling) continue;
        report(7, `"${name}" was not told of ${telling.type} at ${telling.position}`);
      }
    }
    this.#telling = undefined;
    if (this.#gone.length === 0) return;
    for (const { id, waits } of this.#gone) if (waits.size === 0) this.#consumers.delete(id);
    this.#gone = this.#gone.filter(({ waits }) => waits.size > 0);
  }

  /** Who has pages of one side is told what its file's operations know to be that. */
  #isToldAll({ access, file }: Consumer): boolean {
    return access === undefined || (access === 'shared' && !this.#converted.has(file));
  }

  /** Finds out who has to be told of it. */
  #concern(telling: Telling): void {
    const { type, file, operation, start, end } = telling;
    let pending = 0;
    for (const consumer of this.#byFile.get(file) ?? []) {
      if (consumer.start >= end || start >= consumer.end || !this.#isToldAll(consumer)) continue;
      if (type === 'invalidateEnd' && !consumer.begun.has(operation)) continue;
      consumer.due = telling;
      pending++;
    }
    telling.pending = pending;
  }

  #haveLetGo(operation: number, report: Report): void {
    for (const { name, evicted, waits } of this.#consumers.values()) {
      if (evicted || waits.size === 0 || !waits.has(`${operation} invalidate`)) continue;
      report(4, `"${name}" has not let go`);
    }
  }
}

/** A consumer is told, or not there to be told; false when it was due to another one, or to none. */
function settled(telling: Telling, consumer: Consumer): boolean {
  if (telling.pending === undefined) return true;
  if (consumer.due !== telling) return false;
  consumer.due = undefined;
  telling.pending--;
  return true;
}
