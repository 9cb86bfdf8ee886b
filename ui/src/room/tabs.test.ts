import { afterEach, describe, expect, it, vi } from 'vitest';
import { Tabs } from './tabs';

afterEach(() => vi.unstubAllGlobals());

describe('Tabs', () => {
  // M7
  it('are told apart when one is the duplicate of another, with all that it keeps', async () => {
    const kept = new Map<string, string>();
    const touched = vi.fn();
    const storage = {
      getItem: (key: string) => (touched(key), kept.get(key) ?? null),
      setItem: (key: string, value: string) => (touched(key), kept.set(key, value)),
    };
    vi.stubGlobal('sessionStorage', storage);
    vi.stubGlobal('localStorage', storage);
    const ids = new Set<string>();
    const ears = new BroadcastChannel('parlor-rooms');
    ears.onmessage = ({ data }: MessageEvent<{ room: string; id: string }>) => data.room === 'm7' && ids.add(data.id);
    const tabs = [new Tabs('m7'), new Tabs('m7'), new Tabs('m7')];
    await vi.waitFor(() => expect(ids.size).toBe(3));
    await vi.waitFor(() => expect(tabs.map((tab) => tab.alone)).toEqual([false, false, false]));
    tabs[0]?.close();
    tabs[1]?.close();
    await vi.waitFor(() => expect(tabs[2]?.alone).toBe(true));
    tabs[2]?.close();
    ears.close();
    expect(touched).not.toHaveBeenCalled();
  });

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
