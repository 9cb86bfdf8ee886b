/** What a program says wrong is refused as by every other way: with the code of its field, and not as the network. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createLive } from './live';
import { webBackend } from './web';

describe('what is said wrong', () => {
  const asked: string[] = [];
  let answers: object[] = [];
  const request: typeof fetch = async (url) => {
    asked.push(String(url));
    return new Response(JSON.stringify(answers.shift() ?? {}));
  };
  const world = { fetch: request };
  const way = { origin: 'http://peer', token: 't', world };

  beforeEach(() => {
    asked.length = 0;
    answers = [];
  });

  it.each(['', '.', '..', '\ud800', 'a\udc00b', 5 as unknown as string])('no room is called %j, whatever is asked', async (id) => {
    const backend = webBackend(way);
    const room = createLive(way).room(id);
    const refusal = { code: 'INVALID_ROOM_ID', recoverable: false, details: { path: 'room' } };
    const calls = [
      ...[room.join(), room.presence({}), room.leave(), room.members(), room.others(), room.history()],
      ...[room.metadata(), room.metadata({}), room.publish({ type: 'a' })],
      ...[backend.board(id), backend.setBoard(id, {}), backend.ticket(id), backend.forgetRoom(id), backend.access(id)],
      backend.subscribe(id, { batch: () => {} }),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject(refusal);
    expect(await new Promise((resolve) => room.on('failed', resolve))).toMatchObject(refusal);
    expect(asked).toEqual([]);
  });

  it.each(['', ' ada', 'ada\n', 'a\u0000', 'half \ud800'])('no header can name the guest %j', async (id) => {
    const room = createLive({ ...way, resolveActor: () => ({ id }) }).room('r');
    const refusal = { code: 'INVALID_MEMBER_ID', recoverable: false };
    await expect(room.join()).rejects.toMatchObject(refusal);
    expect(await new Promise((resolve) => room.on('failed', resolve))).toMatchObject(refusal);
    expect(asked).toEqual([]);
  });

  it('JSON has no word for some values', async () => {
    const room = createLive(way).room('r');
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    for (const [presence, path] of [[{ n: 1n }, 'presence.n'], [circle, 'presence.self'], [{ n: NaN }, 'presence.n']]) {
      const refusal = { code: 'INVALID_PRESENCE', recoverable: false, details: { path } };
      await expect(room.join({ presence: presence as Record<string, unknown> })).rejects.toMatchObject(refusal);
    }
    const expire = { code: 'INVALID_PRESENCE', details: { path: 'expire.a' } };
    await expect(room.presence({ presence: {}, expire: { a: NaN } })).rejects.toMatchObject(expire);
    expect(asked).toEqual([]);
  });

  it('a code of the system is none of the contract', async () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const away = createLive({ ...way, world: { fetch: () => Promise.reject(refused) } });
    await expect(away.room('r').join()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE', recoverable: true });
  });

  it('what is undefined is not said, so the first page needs no cursor', async () => {
    answers = [{ members: [], nextCursor: 'next' }, { members: [], nextCursor: null }];
    const room = createLive(way).room('r');
    let cursor: string | undefined;
    do cursor = (await room.membersPage({ limit: undefined, cursor })).nextCursor ?? undefined;
    while (cursor !== undefined);
    await room.history({ cursor: undefined });
    const at = 'http://peer/rooms/r';
    expect(asked).toEqual([`${at}/members`, `${at}/members?cursor=next`, `${at}/messages`]);
  });
});
