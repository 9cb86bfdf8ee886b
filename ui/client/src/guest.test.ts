import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Welcome } from './generated/Welcome';
import { guestBackend, takeSecret } from './guest';

const welcome: Welcome = {
  room: 'deck 3',
  private: true,
  userId: 'u_guest',
  name: 'Merry Wren',
  color: '#286fe3',
  named: false,
  host: 'Quiet Otter',
  encrypted: false,
  expiresAt: '2026-05-04T17:30:00.000Z',
};

class FakeSocket {
  static last: FakeSocket;
  static opened = 0;
  readyState = 1;
  onmessage: unknown = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.last = this;
    FakeSocket.opened += 1;
  }
  send() {}
  close() {}
}

const asked: { method: string; path: string; init: RequestInit }[] = [];
let session: Welcome | null;

const backend = (token: string | null) =>
  guestBackend({
    origin: 'http://192.168.1.30:4767',
    token,
    world: {
      WebSocket: FakeSocket as unknown as new (url: string, protocols: string[]) => WebSocket,
      requestAnimationFrame: (callback) => callback(),
      random: () => 1,
      fetch: (async (url: string, init: RequestInit) => {
        const path = url.replace('http://192.168.1.30:4767', '');
        asked.push({ method: init.method ?? 'GET', path, init });
        if (path === '/enter') session = welcome;
        return new Response(JSON.stringify(path === '/enter' || path === '/session' ? session : {}), { status: 200 });
      }) as typeof fetch,
    },
  });

const paths = () => asked.map(({ method, path }) => `${method} ${path}`);

beforeEach(() => {
  asked.length = 0;
  session = null;
  FakeSocket.opened = 0;
});

describe('the way of a guest', () => {
  it('gives the secret of the link once, and then nothing but what the browser carries by itself', async () => {
    const way = backend('secret');
    const status = await way.status();
    expect(status).toMatchObject({ userId: 'u_guest', openRoom: 'deck 3', named: false });
    expect(status.guest).toEqual({ host: 'Quiet Otter', encrypted: false });
    await way.status();
    await way.join('deck 3', { presence: { a: 1 } });
    expect(paths()).toEqual(['POST /enter', 'GET /session', 'POST /room/join']);
    expect(asked[0]?.init.body).toBe('{"token":"secret"}');
    for (const { init } of asked) expect(init.headers).not.toHaveProperty('Authorization');
    expect(JSON.stringify(asked.slice(1))).not.toContain('secret');
    expect((await way.createRoom('deck 3')).private).toBe(true);
  });

  it('names no room, and asks for nothing that a guest may not do', async () => {
    const way = backend(null);
    await way.subscribe('another room', { batch: () => {} });
    expect([FakeSocket.last.url, FakeSocket.last.protocols]).toEqual(['ws://192.168.1.30:4767/room/ws', ['parlor.v1']]);
    await way.members('another room', { limit: 5 });
    await way.setBoard('another room', { set: [] });
    await way.leave('another room');
    expect(paths()).toEqual(['GET /room/members?limit=5', 'POST /room/board', 'POST /room/leave']);
    asked.length = 0;
    const refused = { code: 'FORBIDDEN' };
    await expect(way.ticket('r')).rejects.toMatchObject(refused);
    await expect(way.dial('192.168.1.40')).rejects.toMatchObject(refused);
    await expect(way.changeAccess('r', { rekey: true })).rejects.toMatchObject(refused);
    await expect(way.changeShare('r', { on: true })).rejects.toMatchObject(refused);
    await expect(way.newIdentity()).rejects.toMatchObject(refused);
    expect([await way.rooms(), await way.peers()]).toEqual([[], []]);
    expect(asked).toEqual([]);
  });

  it('is over when the peer says so, and then connects no more', async () => {
    vi.useFakeTimers();
    const way = backend('secret');
    const over = vi.fn();
    way.onOver?.(over);
    await way.status();
    const links: boolean[] = [];
    await way.subscribe('deck 3', { batch: () => {}, link: (up) => links.push(up) });
    FakeSocket.last.onclose?.({ code: 1006 });
    expect([links, over.mock.calls.length]).toEqual([[false], 0]);
    vi.advanceTimersByTime(10_000);
    expect(FakeSocket.opened).toBe(2);
    FakeSocket.last.onclose?.({ code: 4001 });
    expect(over).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.opened).toBe(2);
    vi.useRealTimers();
  });

  it('is over when the browser is known no more', async () => {
    const way = backend('secret');
    const over = vi.fn();
    const deaf = way.onOver?.(over);
    await way.status();
    session = null;
    await expect(way.status()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(over).toHaveBeenCalledTimes(1);
    deaf?.();
    await expect(way.status()).rejects.toThrow();
    expect(over).toHaveBeenCalledTimes(1);
  });

  it('keeps the theme in the page, and tells name and colour', async () => {
    const way = backend('secret');
    await way.status();
    expect((await way.setProfile({ theme: 'dark' })).theme).toBe('dark');
    session = { ...welcome, name: 'Bold Lynx', named: true };
    await way.setProfile({ name: 'Bold Lynx', theme: 'light' });
    expect(paths()).toEqual(['POST /enter', 'POST /session']);
    expect(asked[1]?.init.body).toBe('{"name":"Bold Lynx"}');
  });

  it('takes the secret out of the address', () => {
    const history = { replaceState: vi.fn() };
    const at = (hash: string) => ({ hash, pathname: '/', search: '' }) as Location;
    expect(takeSecret(at('#abc'), history as unknown as History)).toBe('abc');
    expect(history.replaceState).toHaveBeenCalledWith(null, '', '/');
    expect(takeSecret(at(''), history as unknown as History)).toBeNull();
    expect(history.replaceState).toHaveBeenCalledTimes(1);
  });
});
