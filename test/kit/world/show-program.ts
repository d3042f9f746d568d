import { FILES, type Program, type Step } from './program.js';

/** A program, a line for each step, for people. Each file has a consumer of its own from the beginning. */
export function showProgram({ steps }: Program): readonly string[] {
  let registered = FILES - 1;
  return steps.map((step) => showStep(step, () => ++registered));
}

function showStep(step: Step, nextConsumer: () => number): string {
  switch (step.do) {
    case 'fallocate':
    case 'punch': {
      const kept = step.do === 'fallocate' && step.keepSize === true ? ', keeping its size' : '';
      const range = `[${step.start}, ${step.start + step.pages})`;
      return `${step.do} ${range} of file ${step.file + 1}${kept}`;
    }
    case 'convert': {
      const range = `[${step.start}, ${step.start + step.pages})`;
      return `convert ${range} of file ${step.file + 1} to ${step.to}, content '${step.content}'`;
    }
    case 'poison':
      return `page ${step.page} of file ${step.file + 1} is poisoned`;
    case 'truncate':
      return `truncate file ${step.file + 1} to ${step.pages} pages`;
    case 'register': {
      const { start, pages, behaviours, observer, votes, replay, access, budget } = step;
      const range = pages === 0 ? 'all pages' : `[${start}, ${start + pages})`;
      const traits = [
        observer && 'an observer',
        votes && 'votes',
        replay && 'with replay',
        access !== 'both' && `${access} pages alone`,
        budget > 0 && `room for ${budget} pages`,
      ];
      const who = [...traits.filter((trait) => trait !== false), `does ${behaviours.join(', ')}`];
      return `consumer ${nextConsumer()} registers on file ${step.file + 1}, ${range}: ${who.join(', ')}`;
    }
    case 'unsubscribe':
    case 'unregister':
    case 'evict':
      return `${step.do} a consumer (choice ${step.who})`;
    case 'lookup':
      return `a consumer looks page ${step.page} up (choice ${step.who})`;
    case 'put':
      return `put a lease (choice ${step.which})`;
    case 'settle':
      return `work of a callback settles (choice ${step.which})`;
    case 'reject':
      return `work of a callback fails (choice ${step.which})`;
    case 'resume':
      return `a suspended operation goes on (choice ${step.which})`;
    case 'abort':
      return `an operation is aborted (choice ${step.which})`;
    case 'fault':
      return `the store will fail next: ${step.fault}`;
    case 'close':
      return `close file ${step.file + 1}`;
  }
}
