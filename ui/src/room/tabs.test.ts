import { describe, expect, it, vi } from 'vitest';
import { Tabs } from './tabs';

describe('Tabs', () => {
  // M2
  it('know of each other in one room, and the last one is alone', async () => {
    const a = new Tabs('r');
    const b = new Tabs('r');
    const elsewhere = new Tabs('other');
    await vi.waitFor(() => expect([a.alone, b.alone]).toEqual([false, false]));
    expect(elsewhere.alone).toBe(true);
    a.close();
    await vi.waitFor(() => expect(b.alone).toBe(true));
    b.close();
    elsewhere.close();
  });
});
