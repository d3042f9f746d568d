export { JournalModel, type JournalViolation } from './journal-model.js';
export { LAWS, lawTitle } from './laws.js';
export { LawModel, type Violation } from './law-model.js';
