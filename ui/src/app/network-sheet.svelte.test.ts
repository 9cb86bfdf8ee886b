// @vitest-environment happy-dom
import type { Backend, NetworkReport } from 'parlor-client';
import { fakeBackend } from 'parlor-client/fake';
import { mount, unmount } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import NetworkSheet from './NetworkSheet.svelte';

let ends: () => void = () => {};
afterEach(() => ends());

function shown(checkNetwork: Backend['checkNetwork']) {
  const target = document.createElement('div');
  document.body.append(target);
  const sheet = mount(NetworkSheet, { target, props: { backend: { ...fakeBackend(), checkNetwork }, onclose: () => {} } });
  ends = () => {
    void unmount(sheet);
    target.remove();
  };
  const find = (id: string) => [...target.querySelectorAll<HTMLElement>(`[data-testid=${id}]`)];
  const words = () => target.textContent?.replace(/\s+/g, ' ') ?? '';
  return { find, words, again: () => find('network-again')[0]?.click() };
}

it('says what it does while it does it, then what it found and what to type', async () => {
  const report = await fakeBackend().checkNetwork();
  let answer: (report: NetworkReport) => void = () => {};
  const asked = new Promise<NetworkReport>((resolve) => (answer = resolve));
  const { find, words } = shown(() => asked);
  expect(words()).toContain('up to eight seconds');
  expect(find('network')[0]?.getAttribute('aria-busy')).toBe('true');
  answer(report);
  await vi.waitFor(() => expect(words()).toContain('Found a problem.'));
  expect(find('finding').map((one) => [one.dataset.code, one.dataset.severity])).toEqual([
    ['PEER_BLOCKED', 'problem'],
    ['MULTICAST_FILTERED', 'warning'],
  ]);
  expect(words()).toMatch(/192\.168\.1\.31:4747 lets nobody in.*Let TCP 4747 and UDP 4747 come in on that computer/);
  expect(words()).toContain('sudo ufw allow 4747/tcp sudo ufw allow 4747/udp');
  expect(words()).toMatch(/docker0 172\.17\.0\.1\/16 for containers or a VPN/);
  expect(words()).toContain('heard 2 peers · 2 by broadcast only');
});

it('says that nothing was found, and that the check failed, and checks again', async () => {
  const well = { ...(await fakeBackend().checkNetwork()), findings: [] };
  let fails = true;
  const { find, words, again } = shown(() => (fails ? Promise.reject(new Error('gone')) : Promise.resolve(well)));
  await vi.waitFor(() => expect(words()).toContain('could not be made'));
  fails = false;
  again();
  await vi.waitFor(() => expect(words()).toContain('Nothing keeps you apart.'));
  expect(find('finding')).toEqual([]);
  fails = true;
  again();
  await vi.waitFor(() => expect(words()).toContain('could not be made'));
  expect(words()).not.toContain('docker0');
});
