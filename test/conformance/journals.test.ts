import { MemoryJournal } from '../../core/index.js';
import { describeJournal } from '../kit/index.js';

// Every journal of the project; one call each.
describeJournal('MemoryJournal', () => new MemoryJournal());
