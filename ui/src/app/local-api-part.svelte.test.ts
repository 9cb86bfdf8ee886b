// @vitest-environment happy-dom
import { ParlorError, type Backend, type LocalApi } from 'parlor-client';
import { fakeBackend } from 'parlor-client/fake';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import LocalApiPart from './LocalApiPart.svelte';

let ends: () => void = () => {};
afterEach(() => ends());

/** A window whose ports below 1024 are taken. */
async function shown(start: LocalApi) {
  let now = start;
  const asked: { on: boolean; port: number }[] = [];
  const backend: Backend = {
    ...fakeBackend(),
    localApi: async () => now,
    async setLocalApi(choice) {
      asked.push(choice);
      if (choice.on && choice.port > 0 && choice.port < 1024) {
        now = { on: false, port: choice.port };
        throw new ParlorError({ code: 'NETWORK_UNAVAILABLE', message: 'it is in use', recoverable: true });
      }
      now = choice.on ? { ...choice, url: `http://127.0.0.1:${choice.port || 40_000}`, token: 'secret' } : choice;
      return now;
    },
  };
  const target = document.createElement('div');
  document.body.append(target);
  const part = mount(LocalApiPart, { target, props: { backend } });
  ends = () => {
    void unmount(part);
    target.remove();
  };
  const find = <E extends HTMLElement>(id: string) => target.querySelector<E>(`[data-testid=${id}]`);
  await vi.waitFor(() => expect(find('local-api')).not.toBeNull());
  const turn = (on: boolean) => {
    const box = find<HTMLInputElement>('local-api');
    if (box === null) throw new Error('no switch');
    box.checked = on;
    box.dispatchEvent(new Event('change', { bubbles: true }));
  };
  const write = (text: string) => {
    const field = find<HTMLInputElement>('local-api-port');
    if (field === null) throw new Error('no port');
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
  };
  return { asked, find, turn, write, words: () => target.textContent ?? '' };
}

it('shows address and token while it is on, and nothing of them while it is off', async () => {
  const { find, turn, asked } = await shown({ on: false, port: 0 });
  expect(find('local-api-token')).toBeNull();
  turn(true);
  await vi.waitFor(() => expect(find<HTMLInputElement>('local-api-token')?.value).toBe('secret'));
  expect(find<HTMLInputElement>('local-api-url')?.value).toBe('http://127.0.0.1:40000');
  turn(false);
  await vi.waitFor(() => expect(find('local-api-token')).toBeNull());
  expect(asked).toEqual([
    { on: true, port: 0 },
    { on: false, port: 0 },
  ]);
});

it('says what is wrong with a port, and stays off', async () => {
  const { find, turn, write, asked, words } = await shown({ on: false, port: 0 });
  write('70000');
  turn(true);
  await vi.waitFor(() => expect(words()).toContain('from 0 to 65535'));
  expect(asked).toEqual([]);
  write('80');
  turn(true);
  await vi.waitFor(() => expect(words()).toContain('it is in use'));
  await vi.waitFor(() => expect(find<HTMLInputElement>('local-api')?.checked).toBe(false));
  write('4750');
  turn(true);
  await vi.waitFor(() => expect(find<HTMLInputElement>('local-api-url')?.value).toContain(':4750'));
  expect(words()).not.toContain('it is in use');
});
