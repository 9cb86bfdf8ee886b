// @vitest-environment happy-dom
import { flushSync, mount, tick, unmount } from 'svelte';
import { fakeBackend } from 'parlor-client/fake';
import { describe, expect, it, vi } from 'vitest';
import { App } from '../app/app.svelte';
import type { RoomSession } from './session.svelte';
import ShareToBrowsers from './ShareToBrowsers.svelte';

async function shown() {
  const asked: unknown[] = [];
  const fake = fakeBackend();
  const backend: typeof fake = {
    ...fake,
    changeShare: (room, change) => (asked.push(change), fake.changeShare(room, change)),
  };
  await backend.changeShare('plan', { on: true });
  const app = new App(backend, null);
  const target = document.body.appendChild(document.createElement('div'));
  const session = { room: 'plan', isPrivate: false } as RoomSession;
  const part = mount(ShareToBrowsers, { target, props: { app, session } });
  const settled = async () => {
    for (let turn = 0; turn < 5; turn++) await tick();
    flushSync();
  };
  await settled();
  return { app, asked, target, settled, end: () => unmount(part) };
}

describe('guests by browser', () => {
  it('are put out one by one', async () => {
    const { app, asked, target, settled, end } = await shown();
    const buttons = () => [...target.querySelectorAll<HTMLButtonElement>('[data-testid="share-put-out"]')];
    expect(buttons().map((button) => button.getAttribute('aria-label'))).toEqual([
      expect.stringMatching(/^Put .*Bold Heron.* out$/),
      expect.stringMatching(/^Put .*Merry Wren.* out$/),
    ]);
    buttons()[0]?.click();
    await settled();
    expect(asked.at(-1)).toEqual({ on: true, putOut: 'u_q3zr7m2xk5vt4abd' });
    expect(buttons()).toHaveLength(1);
    expect(target.textContent).toContain('Merry Wren');
    expect(target.textContent).not.toContain('Bold Heron');
    await vi.waitFor(() => expect(app.notes.said).toMatch(/Bold Heron.* is out/));
    void end();
  });
});
