import type { JournalEvent } from '../../core/index.js';

/** One event of the journal in one line. */
export function describeEvent(event: JournalEvent): string {
  const { type, ...rest } = event;
  const parts: string[] = [`journal: ${type}`];
  if ('start' in rest && 'end' in rest) parts.push(`[${rest.start}, ${rest.end})`);
  if ('offset' in rest) parts.push(`page ${rest.offset}`);
  if ('pages' in rest) parts.push(`${rest.pages} pages`);
  if ('pfn' in rest) parts.push(`frame ${rest.pfn}`);
  if ('name' in rest) parts.push(`"${rest.name}"`);
  if ('reason' in rest) parts.push(`(${rest.reason})`);
  if ('callback' in rest) parts.push(`in ${rest.callback}`);
  if ('message' in rest) parts.push(rest.message);
  if (event.type === 'left' || event.type === 'unregister' || event.type === 'evict') {
    parts.push(`registration ${event.registration}`);
  }
  return parts.join(' ');
}
