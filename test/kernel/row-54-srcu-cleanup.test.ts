import { describe, expect, it } from 'vitest';
import { SrcuDomain } from '../../core/index.js';

describe('row 54: cleanup of an SRCU domain', () => {
  it('row 54: with an active reader → EBUSY, and nothing is closed', () => {
    const domain = new SrcuDomain('slots');
    const index = domain.readLock();
    expect(() => domain.close()).toThrow(/EBUSY.*1 reader sections and 0 grace periods/);
    domain.readUnlock(domain.readLock());
    domain.readUnlock(index);
    domain.close();
    expect(() => domain.readLock()).toThrow('EBADF');
  });

  it('row 54: with a grace period under way → EBUSY, and it comes to its end', async () => {
    const domain = new SrcuDomain('slots');
    const reader = domain.reader('a fault');
    const over = domain.synchronize();
    expect(() => domain.close()).toThrow(/EBUSY.*1 grace periods/);
    reader.exit();
    await over;
    expect(() => domain.close()).not.toThrow();
  });
});
