import { describe, expect, it } from 'vitest';
import { jsonOf } from './json';
import { RoomSocket } from './room-socket';
import { webBackend } from './web';

describe('what a call says', () => {
  it('is written as ever', () => {
    const date = new Date(0);
    const value = { presence: { a: [1, null, { b: -0.5 }], gone: undefined, date }, text: 'é' };
    expect(jsonOf(value, 'join')).toBe(JSON.stringify(value));
  });

  const circle: Record<string, unknown> = { inside: [{}] };
  (circle['inside'] as unknown[])[0] = { back: circle };

  it.each<[string, object, string, string, string]>([
    ['join', { presence: { cursor: { x: NaN } } }, 'INVALID_PRESENCE', 'presence.cursor.x', 'NaN; a finite'],
    ['join', { metadata: { at: [1n] } }, 'INVALID_METADATA', 'metadata.at.0', 'BigInt'],
    ['join', { memberId: NaN }, 'INVALID_MEMBER_ID', 'memberId', 'NaN'],
    ['join', { presenceTtlSeconds: Infinity }, 'INVALID_PRESENCE', 'presenceTtlSeconds', 'Infinity'],
    ['join', { ticket: 5n }, 'INVALID_TICKET', 'ticket', 'BigInt'],
    ['presence', { presence: { path: [1, [2, Infinity]] } }, 'INVALID_PRESENCE', 'presence.path.1.1', 'Infinity'],
    ['presence', { presence: {}, expire: { typing: NaN } }, 'INVALID_PRESENCE', 'expire.typing', 'NaN'],
    ['presence', { presence: circle }, 'INVALID_PRESENCE', 'presence.inside.0.back', 'leads back'],
    ['leave', { memberId: 1n }, 'INVALID_MEMBER_ID', 'memberId', 'BigInt'],
    ['metadata', { metadata: { limit: -Infinity } }, 'INVALID_METADATA', 'metadata.limit', '-Infinity'],
    ['set_metadata', { ifVersion: NaN }, 'INVALID_METADATA', 'ifVersion', 'NaN'],
    ['board', { set: [{ id: 'a' }, { id: 'b', x: NaN }] }, 'INVALID_BOARD', 'set.1.x', 'NaN'],
    ['set_board', { set: [{ id: 'a', z: 1n }] }, 'INVALID_BOARD', 'set.0.z', 'BigInt'],
    ['messages', { type: 'vote', data: NaN }, 'INVALID_MESSAGE', 'data', 'NaN'],
    ['publish', { type: 'vote', memberId: NaN }, 'INVALID_MEMBER_ID', 'memberId', 'NaN'],
    ['members', { limit: NaN }, 'INVALID_LIMIT', 'limit', 'NaN'],
    ['share', { minutes: Infinity }, 'INVALID_LIMIT', 'minutes', 'Infinity'],
    ['share', { port: NaN }, 'INVALID_TICKET', 'port', 'NaN'],
    ['change_lab', { faults: { lossPercent: NaN } }, 'INVALID_LIMIT', 'faults.lossPercent', 'NaN'],
    ['somewhere', { constructor: NaN }, 'INVALID_JSON', 'constructor', 'NaN'],
  ])('refuses in %s %o by its place', (call, value, code, path, why) => {
    const message = expect.stringContaining(why) as string;
    const error = expect.objectContaining({ code, message, details: { path }, recoverable: false });
    expect(() => jsonOf(value, call)).toThrow(error as Error);
  });

  it('knows the place of something that stands there twice', () => {
    const shared = { x: NaN };
    expect(() => jsonOf({ presence: { a: shared } }, 'join')).toThrow(/presence\.a\.x/);
    const fine = { x: 1 };
    expect(jsonOf({ presence: { a: fine, b: [fine, fine] } }, 'join')).toContain('"b":[{"x":1},{"x":1}]');
  });

  it('is refused as too deep before writing it would overflow', () => {
    const deep = Array.from({ length: 100_000 }).reduce<object>((inside) => ({ inside }), {});
    const details = { limit: 'depth', max: 8, actual: 101, path: 'presence.inside' };
    const error = expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE', details });
    expect(() => jsonOf({ presence: deep }, 'join')).toThrow(error as Error);
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
