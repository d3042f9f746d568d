import { createMemfile, type Memfile } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { LawModel } from '../../model/index.js';
import { consumerProgram, showConsumerProgram, type ConsumerProgram } from './consumer-program.js';
import { ConsumerWorld, type ConsumerFactory } from './consumer-world.js';
import { oneLess } from '../small.js';
import { describeChecks, fixed, type Check, type KitOptions } from '../suite.js';
import { MicrotaskScheduler } from '../../../core/index.js';

/** Laws of which only the witness of a consumer can tell. */
const WITNESSED = new Set([3, 5, 7]);
const OBSERVED = [1, 2, 4, 6, 8, 9, 11, 12];

/**
 * Tests that a consumer keeps its side of the laws among hostile neighbours, while pages come and
 * go: it lets go of what leaves, uses no frame that a page has not, and leaves nothing behind.
 *
 * @param factory puts a new consumer on a file; whatever pages of it the consumer likes.
 */
export function describeConsumer(
  name: string,
  factory: ConsumerFactory,
  options: KitOptions = {},
): void {
  const laws = [...OBSERVED, ...WITNESSED].sort((a, b) => a - b);
  describeChecks(name, [usesCheck(factory), ...laws.map((law) => lawCheck(law, factory))], options);
}

function lawCheck(law: number, factory: ConsumerFactory): Check<ConsumerProgram> {
  return {
    law,
    programs: consumerProgram,
    show: showConsumerProgram,
    shorter: ({ before, steps }) => oneLess(steps).map((steps) => ({ before, steps })),
    async skip() {
      if (!WITNESSED.has(law)) return undefined;
      const world = new ConsumerWorld();
      await world.run({ before: undefined, steps: [] }, factory);
      return world.witnessed ? undefined : 'the consumer does not use the witness';
    },
    async broken(program) {
      const findings = await new ConsumerWorld().run(program, factory);
      return findings.filter((finding) => finding.law === law).map(({ detail }) => detail);
    },
  };
}

/** A consumer that never uses anything would keep every law. */
function usesCheck(factory: ConsumerFactory): Check<readonly string[]> {
  const steps = ['fallocate [0, 4)', 'the consumer comes', 'the consumer touches [0, 4)'];
  const setting = { witness: new LawModel(), scheduler: new MicrotaskScheduler() };
  const check = {
    law: 5,
    what: 'what was there before is used by the frames that it has',
    async skip() {
      const memfile = createMemfile({ plugins: [shmem()] });
      const file = memfile.createFile('shmem', { size: 12, name: 'ram' });
      const consumer = await factory(file, setting);
      await consumer[Symbol.asyncDispose]();
      return consumer.frameOf === undefined ? 'the consumer has no frameOf' : undefined;
    },
  };
  return fixed(check, steps, async () => {
    const memfile: Memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 12, name: 'ram' });
    await file.fallocate(0, 4);
    const consumer = await factory(file, setting);
    await consumer.touch(0, 4);
    const findings: string[] = [];
    const frames = memfile.state.files.get(file.id)!.frames;
    for (let page = 0; page < 4; page++) {
      const [used, has] = [consumer.frameOf!(page), frames.get(page)];
      if (used !== has) findings.push(`page ${page} has frame ${has}, the consumer uses ${used}`);
    }
    await consumer[Symbol.asyncDispose]();
    await memfile[Symbol.asyncDispose]();
    return findings;
  });
}
