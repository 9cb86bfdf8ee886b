import { describe, expect, it } from 'vitest';
import { jsonOf } from './json';
import { RoomSocket } from './room-socket';
import { webBackend } from './web';

describe('what a call says', () => {
  it('is written as ever', () => {
    const date = new Date(0);
    const value = { presence: { a: [1, null, { b: -0.5 }], gone: undefined, date }, text: 'é' };
    expect(jsonOf(value)).toBe(JSON.stringify(value));
  });

  it.each([
    [{ presence: { cursor: { x: NaN } } }, 'INVALID_PRESENCE', 'presence.cursor.x', 'NaN'],
    [{ presence: { path: [1, [2, Infinity]] } }, 'INVALID_PRESENCE', 'presence.path[1][1]', 'Infinity'],
    [{ metadata: { limit: -Infinity } }, 'INVALID_METADATA', 'metadata.limit', '-Infinity'],
    [{ set: [{ id: 'a' }, { id: 'b', x: NaN }] }, 'INVALID_BOARD', 'set[1].x', 'NaN'],
    [{ type: 'vote', data: NaN }, 'INVALID_MESSAGE', 'data', 'NaN'],
    [{ minutes: Infinity }, 'INVALID_JSON', 'minutes', 'Infinity'],
  ])('refuses %o by its place', (value, code, path, number) => {
    const message = `${path} is ${number}; a finite number is allowed`;
    expect(() => jsonOf(value)).toThrow(expect.objectContaining({ code, message, details: { path }, recoverable: false }));
  });

  it('knows the place of something that stands there twice', () => {
    const shared = { x: NaN };
    expect(() => jsonOf({ presence: { a: shared } })).toThrow(/presence\.a\.x/);
  });

  it('is asked by requests, before anything is sent', async () => {
    const asked: string[] = [];
    const fetch = async (url: RequestInfo | URL) => (asked.push(String(url)), new Response('{}'));
    const way = webBackend({ origin: 'http://peer', token: 't', world: { fetch } });
    await expect(way.join('r', { presence: { cursor: NaN } })).rejects.toMatchObject({ code: 'INVALID_PRESENCE' });
    await expect(way.setMetadata('r', { metadata: { limit: NaN } })).rejects.toMatchObject({ code: 'INVALID_METADATA' });
    expect(asked).toEqual([]);
  });

  it('is asked by sockets, and the next is answered', async () => {
    const sent: string[] = [];
    class Wire {
      readyState = 1;
      onopen = null;
      onmessage: ((event: { data: string }) => void) | null = null;
      send(text: string) {
        sent.push(text);
        this.onmessage?.({ data: JSON.stringify({ type: 'result', id: JSON.parse(text).id, ok: true }) });
      }
      close() {}
    }
    const world = { WebSocket: Wire as unknown as typeof WebSocket };
    const socket = new RoomSocket('ws://peer', [], { batch: () => {} }, world);
    await expect(socket.presence({ presence: { cursor: Infinity } })).rejects.toMatchObject({ code: 'INVALID_PRESENCE' });
    await socket.presence({ presence: { cursor: 1 } });
    expect(sent).toHaveLength(1);
    socket.close();
  });
});
