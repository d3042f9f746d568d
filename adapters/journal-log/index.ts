export { EventRows, type EventRow } from './event-rows.js';
