/** One event to N RxJS observers: a registration each here, one Subject with N subscribers there. */
import { Subject } from 'rxjs';
import { manyListeners } from '../harness.js';
import { newFile } from '../memfile.js';

export default async function observers(suite) {
  for (const count of [10, 1000]) {
    await suite.measure(`${count} observers, ns two notifications`, {
      memfile: await viaMemfile(count),
      'rxjs Subject': viaSubject(count),
    });
  }
  const at = (count) => [`${count} observers, ns two notifications`, 2 * count];
  suite.slope('slope 10 to 1000, ns a notification', at(10), at(1000));
}

/** A punch tells an observer twice: the begin and the end. */
async function viaMemfile(count) {
  const { file } = newFile(4);
  for (const next of manyListeners(count, 'event', 'event.start')) {
    (await file.register({})).subscribe({ next });
  }
  return (n) => {
    for (let i = 0; i < n; i++) void file.punchHole(1, 2);
  };
}

function viaSubject(count) {
  const subject = new Subject();
  for (const next of manyListeners(count, 'event', 'event.start')) subject.subscribe({ next });
  return (n) => {
    for (let i = 0; i < n; i++) {
      subject.next({ type: 'invalidate', start: 1, end: 2 });
      subject.next({ type: 'invalidateEnd', start: 1, end: 2 });
    }
  };
}
