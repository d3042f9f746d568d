export { firstDivergence, isSameEvent, type JournalDivergence } from './divergence.js';
export { gracePeriods, type Blocker, type GracePeriod } from './grace-periods.js';
export { holders, type Holders, type Mapping, type PageLease } from './holders.js';
export { lastTouch, type PageQuestion } from './last-touch.js';
export { notificationsOf, type Span } from './notifications-of.js';
