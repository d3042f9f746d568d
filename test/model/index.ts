export { LawModel, LAWS, type Violation } from './law-model.js';
