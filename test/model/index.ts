export { JournalModel, type JournalViolation } from './journal-model.js';
export { LawModel, LAWS, type Violation } from './law-model.js';
