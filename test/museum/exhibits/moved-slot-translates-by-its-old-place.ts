import { gfnRange, type MemslotPiece } from '../../../adapters/kvm/index.js';
import { Extents, type Registration } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

interface Slot {
  /** Where it is now, by what a fault looks up. */
  piece: MemslotPiece;
  registration: Registration;
  /** Guest page to frame. */
  readonly mapped: Extents;
}

type Move = (slot: Slot, piece: MemslotPiece) => unknown;

/** Its notifier translates events by the place that it is given here. */
function register(mapped: Extents, piece: MemslotPiece): Promise<Registration> {
  const { file, offset, pages } = piece;
  const invalidate = (start: number, end: number): void => {
    const gfns = gfnRange(piece, start, end)!;
    mapped.delete(gfns.start, gfns.end);
  };
  return file.register({ invalidate }, { range: { start: offset, end: offset + pages } });
}

export default exhibit<Move, { readonly slot: Slot; readonly move: () => unknown }>({
  law: 4,
  says: 'a slot was moved, and a punch zaps where it used to be',
  source: 'PATCH v4 10/12: the registered notifier keeps the base_gfn of before the move',
  history: [
    'A slot was registered once, with the first guest page that it had then.',
    'After a move, invalidations went to the old guest pages, and the new ones kept their frames.',
    'Here a moved slot registers anew, and what was mapped by the old one is zapped.',
  ],
  faulty: (slot, piece) => {
    slot.mapped.delete(slot.piece.gfn, slot.piece.gfn + slot.piece.pages);
    slot.piece = piece;
  },
  ours: async (slot, piece) => {
    const registration = await register(slot.mapped, piece);
    const old = slot.registration;
    slot.mapped.delete(slot.piece.gfn, slot.piece.gfn + slot.piece.pages);
    Object.assign(slot, { piece, registration });
    await old.unregister();
  },
  setUp: async (stage, move) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const mapped = new Extents();
    const piece = { gfn: 10, pages: 1, file, offset: 0 };
    const slot: Slot = { piece, mapped, registration: await register(mapped, piece) };
    stage.checks.push(() => {
      const [run] = mapped.runs();
      if (run === undefined || file.populated().length > 0) return;
      stage.breaks(4, `guest page ${run.start} is mapped, and its page has left`);
    });
    return { slot, move: () => move(slot, { ...piece, gfn: 20 }) };
  },
  threads: {
    vmm: { 'move the slot to guest page 20': ({ move }) => move() },
    guest: {
      'touch the first page of the slot': ({ slot }) => {
        const { piece, registration, mapped } = slot;
        if (piece.file.populated().length === 0) return;
        const lease = registration.lookup(piece.offset);
        mapped.set(piece.gfn, piece.gfn + 1, lease.pfn);
        lease.put();
      },
    },
    owner: { 'punch [0, 1)': ({ slot }) => slot.piece.file.punchHole(0, 1) },
  },
});
