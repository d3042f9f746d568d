import type { Conversion, Side } from './capabilities.js';
import { asMemfileError } from './errno.js';
import type { FileCore } from './file-core.js';
import type { Operation, Step } from './operation.js';
import { overlaps, type PageRange } from './page-range.js';
import { prepare, type Question } from './preparation.js';
import { tell } from './audience.js';
import { ofSide, usable, usableFrames, usableIn } from './usable.js';
import { ToldEvent } from './told-event.js';
import { Withdrawal, type Keeps } from './withdrawal.js';

/**
 * Makes pages private or shared, in place: asks, makes everybody let go who has them as they are,
 * changes them, and tells those who can use them from now on. Unmapped before, mapped after.
 *
 * Anybody can be in the way: a consumer that refuses or fails to let go, a lease, the store. Then
 * everything is undone, in reverse, and the operation says by whom.
 */
export function convert(
  file: FileCore,
  operation: Operation,
  { start, end }: PageRange,
  conversion: Conversion,
  then: Step,
): void {
  const { state } = file;
  const { to, content } = conversion;
  const from: Side = to === 'private' ? 'shared' : 'private';
  const changing = ofSide(state, { start, end }, from);
  if (changing.length === 0 && content !== 'zero') {
    then(operation);
    return;
  }
  const reason = 'convert';
  const where = { file: state.id, operation: operation.id };
  const gained = usable(state, state.frames.ranges(start, end), from);
  const voters = file.notifiers.concerned(start, end).members.filter(({ votes }) => votes);
  const losing = voters.filter(({ access }) => access !== to);
  const questions = [
    { start, end, runs: [], voters: losing },
    ...gained.map((range): Question => ({
      ...range,
      runs: usableFrames(state, range, from),
      voters: voters.filter((voter) => voter.access === to && overlaps(voter.range, range)),
    })),
  ];
  const record = (type: 'prepare' | 'rollback' | 'usable', { start, end }: PageRange): number =>
    file.record(operation, { type, ...where, start, end, reason });
  // In the step that changes them: nobody finds pages of its side that it has not heard of.
  const tellUsable = (): void => {
    for (const range of gained) {
      const position = record('usable', range);
      const detail = { conversion };
      const event = new ToldEvent(file, operation, 'fallocate', reason, position, position, detail);
      const { members } = file.notifiers.concerned(range.start, range.end);
      for (const consumer of members) {
        if (consumer.access === to) tell(file.engine, consumer, event, range.start, range.end);
      }
    }
  };
  prepare(file, operation, { reason, conversion, questions, record }, (agreed, rollBack) => {
    if (!agreed) {
      then(operation);
      return;
    }
    let possible = false;
    const between = (): Keeps => {
      possible = canChange(file, operation, { start, end }, changing, conversion);
      if (possible) file.record(operation, { type: 'convert', ...where, start, end, to });
      const there = state.frames.ranges(start, end);
      return (consumer) => usableIn(state, there, consumer);
    };
    const ended = (): void => {
      if (possible) tellUsable();
    };
    const after = (): void => {
      if (possible) then(operation);
      else rollBack(() => then(operation));
    };
    new Withdrawal(file, operation, start, end, reason, between, after, conversion, ended).begin();
  });
}

/** Everybody has let go as far as they said; whether that is enough, and the store agrees. */
function canChange(
  file: FileCore,
  operation: Operation,
  { start, end }: PageRange,
  changing: readonly PageRange[],
  { to, content }: Conversion,
): boolean {
  const { state, store } = file;
  if (operation.hasFailed) {
    operation.refuse('EIO');
    return false;
  }
  const held = file.held(changing);
  if (held !== undefined) {
    const { page, holders } = held;
    const who = holders.map((name) => `"${name}"`).join(', ');
    operation.failed(`page ${page} of "${state.name}" is held`, new Error(`by ${who}`));
    operation.refuse('EAGAIN', { consumer: holders[0]!, page, holders });
    return false;
  }
  try {
    store.convert?.(start, end, to, content);
  } catch (error) {
    const who = `store "${state.store}"`;
    operation.failed(`${who} failed in convert`, error);
    operation.refuse(asMemfileError(error, 'convert', who).code);
    return false;
  }
  return true;
}
