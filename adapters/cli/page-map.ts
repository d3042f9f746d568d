import type { StateSnapshot } from '../../core/index.js';

const COLUMNS = 64;
const ROWS = 8;
/** From a hole to a full cell. */
const SHADES = ['·', '░', '▒', '▓', '█'];

/** A picture of a file: each cell stands for so many pages, darker the more of them are there. */
export function pageMap(file: StateSnapshot['files'][number]): string[] {
  const pages = Math.max(file.pages, file.populated.at(-1)?.[1] ?? 0);
  if (pages === 0) return [];
  const perCell = Math.max(1, Math.ceil(pages / (COLUMNS * ROWS)));
  const there = Array.from({ length: Math.ceil(pages / perCell) }, () => 0);
  for (const [start, end] of file.populated) {
    for (let cell = Math.floor(start / perCell); cell * perCell < end; cell++) {
      const from = Math.max(start, cell * perCell);
      there[cell]! += Math.min(end, (cell + 1) * perCell) - from;
    }
  }
  const lines = [`  ${perCell} ${perCell === 1 ? 'page' : 'pages'} a cell`];
  const width = String(pages).length;
  for (let cell = 0; cell < there.length; cell += COLUMNS) {
    const shades = there.slice(cell, cell + COLUMNS).map((count, i) => {
      const size = Math.min(perCell, pages - (cell + i) * perCell);
      return SHADES[Math.ceil((count / size) * (SHADES.length - 1))]!;
    });
    lines.push(`  ${String(cell * perCell).padStart(width)} ${shades.join('')}`);
  }
  return lines;
}
