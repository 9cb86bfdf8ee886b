import type { Batch, Status } from 'parlor-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { en } from '../i18n/en';
import { sampleBackend } from '.';

const self = { userId: 'u_me', name: 'Quiet Otter', color: '#bc5806' } as Status;

/** A sample whose time the test makes: everything that it says in so many seconds. */
async function played(
  seconds: number,
  seed = 4,
  doing: (at: number, backend: ReturnType<typeof sampleBackend>) => void = () => {},
) {
  let now = 0;
  let step = () => {};
  let frame = () => {};
  const world = {
    now: () => now,
    every: (run: () => void) => ((step = run), () => (step = () => {})),
    frame: (run: () => void) => void (frame = run),
  };
  const backend = sampleBackend({ self, words: en.sample, seed, world });
  const batches: Batch[] = [];
  const end = await backend.subscribe('', { batch: (batch) => batches.push(batch) });
  await backend.join('', { presence: {} });
  for (let at = 0; at < seconds * 1000; at += 33) {
    doing(at, backend);
    now += 33;
    step();
    frame();
  }
  return { backend, batches, end };
}

const keysOf = (batches: readonly Batch[], memberId: string) =>
  new Set(
    batches.flatMap(({ updates }) =>
      updates.filter((update) => update.memberId === memberId).flatMap((update) => Object.keys(update.presence)),
    ),
  );

afterEach(() => vi.unstubAllGlobals());

describe('the sample room', () => {
  it('has three people who move, type and write, within a minute', async () => {
    const { batches } = await played(60);
    const said = batches.flatMap(({ events }) => events);
    for (const id of ['sample-0', 'sample-1', 'sample-2']) expect(keysOf(batches, id)).toContain('cursor');
    const doings = new Set(['sample-0', 'sample-1', 'sample-2'].flatMap((id) => [...keysOf(batches, id)]));
    for (const key of ['typing', 'editing', 'ink', 'selected', 'viewport']) expect(doings).toContain(key);
    expect(said.filter((event) => event.type === 'message').length).toBeGreaterThan(2);
    expect(said.filter((event) => event.type === 'board').length).toBeGreaterThan(10);
  });

  it('is the same for the same seed', async () => {
    vi.useFakeTimers({ now: 0 });
    const [a, b, c] = [await played(20), await played(20), await played(20, 5)];
    vi.useRealTimers();
    expect(a.batches).toEqual(b.batches);
    expect(a.batches).not.toEqual(c.batches);
  });

  it('never asks a network, and ends with its subscription', async () => {
    const asked = vi.fn();
    vi.stubGlobal('fetch', asked);
    vi.stubGlobal('WebSocket', asked);
    vi.stubGlobal('localStorage', { getItem: asked, setItem: asked });
    const { batches, end } = await played(5);
    const before = batches.length;
    end();
    expect([asked.mock.calls.length, batches.length]).toEqual([0, before]);
  });

  it('answers who writes, and comes when it is called', async () => {
    const where = { x: 2_000, y: 2_000, w: 400, h: 300 };
    const { batches } = await played(25, 4, (at, backend) => {
      if (at === 0) void backend.publish('', { type: 'chat', data: { text: 'Hello' }, keep: true });
      if (at === 0) void backend.publish('', { type: 'gather', data: { viewport: where } });
    });
    const answers = batches
      .flatMap(({ events }) => events)
      .filter((event) => event.type === 'message' && event.message.actor.userId === 'sample-0');
    expect(answers.length).toBeGreaterThan(0);
    const came = batches
      .flatMap(({ updates }) => updates)
      .filter(({ memberId, presence }) => {
        const cursor = presence['cursor'] as { x: number } | undefined;
        return memberId !== 'u_me' && (cursor?.x ?? 0) > 2_000;
      });
    expect(new Set(came.map(({ memberId }) => memberId)).size).toBe(3);
  });

  it('keeps out of notes that this person writes in, and of a locked room', async () => {
    const mine = 'sample-0';
    const { batches } = await played(60, 4, (at, backend) => {
      if (at === 0) void backend.presence('', { presence: { editing: { note: mine, from: 0, to: 0 } } });
    });
    const touched = (list: readonly Batch[]) =>
      list
        .flatMap(({ events }) => events)
        .flatMap((event) => (event.type === 'board' && event.rest !== true ? event.notes : []));
    expect(touched(batches).some((note) => note.id === mine)).toBe(false);
    const locked = await played(60, 4, (at, backend) => {
      if (at === 0) void backend.setMetadata('', { metadata: { locked: true } });
    });
    expect(touched(locked.batches).filter((note) => note.text !== '')).toEqual([]);
  });

  it('does not hurry after a long sleep', async () => {
    let now = 0;
    let step = () => {};
    const world = { now: () => now, every: (run: () => void) => ((step = run), () => {}), frame: () => {} };
    const backend = sampleBackend({ self, words: en.sample, world });
    await backend.subscribe('', { batch: () => {} });
    const said = async () => (await backend.history('')).messages.length;
    const before = await said();
    now = 8 * 3_600_000;
    step();
    expect((await said()) - before).toBeLessThan(2);
  });

  it('does not fill the board, however long it runs', async () => {
    const { backend } = await played(600);
    expect((await backend.board('')).notes.length).toBeLessThan(16);
  });
});
