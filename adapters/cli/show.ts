import { MemfileError, replay, type MemfileState, type PageRange } from '../../core/index.js';
import { KVM_EVENTS, type RecordedSlot } from '../kvm/index.js';
import { EXIT } from './exit.js';
import { wholeNumber, withJournal, type JournalFlags } from './journal-file.js';
import { pageMap } from './page-map.js';
import { printHolders } from './page-questions.js';

export interface ShowFlags extends JournalFlags {
  readonly at?: string;
  readonly file?: string;
  readonly page?: string;
  readonly json?: true;
}

/** Prints the state after an event of a journal. */
export function show(path: string, flags: ShowFlags): Promise<number> {
  return withJournal(path, flags, (journal) => {
    if (flags.page !== undefined) return printHolders(journal, flags, flags.at);
    const last = journal.position;
    const at = flags.at === undefined ? last : wholeNumber('--at', flags.at);
    if (at > last) {
      throw new MemfileError('EINVAL', 'show', `position ${at} is not in 0..${last}`);
    }
    const state = replay(journal, at, [KVM_EVENTS]);
    const text = flags.json === true ? JSON.stringify(state, null, 2) : describe(path, state, last);
    process.stdout.write(`${text}\n`);
    return EXIT.ok;
  });
}

function describe(path: string, after: MemfileState, last: number): string {
  const state = after.toJSON();
  const lines = [`${path}: position ${state.position} of ${last}`];
  for (const file of state.files) {
    const pages = file.populated.reduce((sum, [start, end]) => sum + end - start, 0);
    lines.push(
      '',
      `file ${file.id} "${file.name}" (${file.store}): ${pages} of ${file.pages} pages`,
    );
    lines.push(...pageMap(file));
    for (const { operation, start, end, reason } of file.open) {
      lines.push(`  leaving: [${start}, ${end}), ${reason}, operation ${operation}`);
    }
    for (const { name, start, end } of state.registrations.filter((r) => r.file === file.id)) {
      lines.push(`  registered: "${name}" on [${start}, ${end >= 2 ** 51 ? '∞' : end})`);
    }
  }
  if (state.files.length === 0) lines.push('', 'no file is open');
  for (const { owner, file, offset, pfn, count } of state.leases) {
    lines.push(`leased: frame ${pfn}, page ${offset} of file ${file}, ${count} × by "${owner}"`);
  }
  for (const { file, start, end, pfn } of state.quarantined) {
    lines.push(`quarantined: frames from ${pfn}, pages [${start}, ${end}) of file ${file}`);
  }
  for (const { name, slots, private: ranges } of after.own.of(KVM_EVENTS).vms) {
    lines.push('', `vm "${name}"`, ...slots.map(describeSlot));
    if (ranges.length > 0) lines.push(`  private: guest pages ${ranges.map(range).join(' ')}`);
  }
  for (const [name, said] of Object.entries(state.plugins)) {
    if (name === KVM_EVENTS.name) continue;
    lines.push('', `"${name}" recorded last`);
    for (const [type, data] of Object.entries(said)) {
      lines.push(`  ${type}: ${JSON.stringify(data)}`);
    }
  }
  return lines.join('\n');
}

function describeSlot({ slot, gfn, pages, pieces, guestMemfd, ...flags }: RecordedSlot): string {
  const parts = pieces.map((piece) => {
    const { file, offset } = piece;
    const what = `${range(at(offset, piece.pages))} of file ${file}`;
    return piece.gfn === gfn && piece.pages === pages
      ? what
      : `${range(at(piece.gfn, piece.pages))} = ${what}`;
  });
  if (guestMemfd !== undefined) {
    const { file, offset } = guestMemfd;
    parts.push(`${range(at(offset, pages))} of file ${file} (guest_memfd)`);
  }
  const set = Object.entries(flags).flatMap(([flag, on]) => (on ? [`, ${flag}`] : []));
  const memory = parts.length === 0 ? 'no memory file' : parts.join('; ');
  return `  slot ${slot}: guest pages ${range(at(gfn, pages))} = ${memory}${set.join('')}`;
}

function at(start: number, pages: number): PageRange {
  return { start, end: start + pages };
}

function range({ start, end }: PageRange): string {
  return `[${start}, ${end})`;
}
