// @vitest-environment happy-dom
import { ParlorError, type Cloned, type Status } from 'parlor-client';
import { fakeBackend } from 'parlor-client/fake';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { App } from './app.svelte';
import CloneBar from './CloneBar.svelte';

const since = '2026-11-28T10:00:00.000Z';
let ends: () => void = () => {};
afterEach(() => ends());

function shown(cloned: Cloned) {
  const app = new App(fakeBackend({ cloned }), null);
  const target = document.createElement('div');
  const props = $state({ app, cloned });
  const bar = mount(CloneBar, { target, props });
  ends = () => void unmount(bar);
  flushSync();
  const button = target.querySelector<HTMLButtonElement>('[data-testid=new-identity]');
  if (button === null) throw new Error('no button');
  const words = () => target.textContent?.replace(/\s+/g, ' ') ?? '';
  return { app, props, words, button };
}

// M8
describe('CloneBar', () => {
  it('says what happened, what it means here, and what the way out changes', () => {
    const { words, button, props } = shown({ since, readOnly: true, others: ['b'] });
    expect(words()).toMatch(/copy of your profile is open on another computer, so this window is read-only/);
    expect(words()).toMatch(/opened later and goes on.*nothing of this window/);
    expect(words()).toMatch(/Keeps your name, colour and rooms/);
    expect(button.textContent?.trim()).toBe('Become a new identity');
    expect(button.getAttribute('aria-describedby')).toBe('clone-means');
    props.cloned = { since, readOnly: true, others: [] };
    flushSync();
    expect(words()).toMatch(/is closed. This window takes over again/);
    props.cloned = { since, readOnly: false, others: ['b'] };
    flushSync();
    expect(words()).toMatch(/Another computer runs a copy of your profile\. .*the other one is read-only/);
    expect(words()).not.toMatch(/window is read-only/);
  });

  it('asks once however often it is pressed, and says what went wrong', async () => {
    const { app, button } = shown({ since, readOnly: false, others: ['b'] });
    let answer: (status: Status) => void = () => {};
    const asked = vi.spyOn(app.backend, 'newIdentity').mockReturnValue(new Promise((resolve) => (answer = resolve)));
    button.click();
    button.click();
    flushSync();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(button.textContent?.trim()).toBe('Becoming somebody new…');
    answer(await app.backend.status());
    await vi.waitFor(() => expect(button.getAttribute('aria-disabled')).toBe('false'));
    expect(app.notes.shown.at(-1)?.text).toMatch(/somebody new now/);

    const full = new ParlorError({ code: 'STORAGE_FAILED', message: 'no space', recoverable: true });
    asked.mockRejectedValueOnce(full);
    button.click();
    await vi.waitFor(() => expect(app.notes.shown.at(-1)?.text).toBe('It could not be written to disk.'));
  });
});
