import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Batch, PresenceChange } from './index';
import { takeHash, webBackend } from './web';

/** The browser's end of a socket, and the test's hands on the other. */
class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close() {
    this.readyState = 3;
  }
  opened() {
    this.readyState = 1;
  }
  says(message: unknown) {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
  dies() {
    this.readyState = 3;
    this.onclose?.();
  }
  static get last() {
    const socket = FakeSocket.all.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }
}

let frames: (() => void)[] = [];
const frame = () => frames.splice(0).forEach((callback) => callback());
const requests: { url: string; init: RequestInit }[] = [];
let answer = { status: 200, body: '{}' };

const backend = () =>
  webBackend({
    origin: 'http://127.0.0.1:4700',
    token: 'secret-token',
    world: {
      WebSocket: FakeSocket as unknown as new (url: string, protocols: string[]) => WebSocket,
      requestAnimationFrame: (callback) => frames.push(callback),
      random: () => 1,
      fetch: (async (url: string, init: RequestInit) => {
        requests.push({ url, init });
        return new Response(answer.body, { status: answer.status });
      }) as typeof fetch,
    },
  });

const snapshot = (seq: number) => ({
  type: 'batch',
  seq,
  updates: [],
  events: [
    {
      type: 'snapshot',
      room: 'r',
      members: [],
      watching: 0,
      paceMs: 34,
      complete: true,
      at: 0,
      metadata: { room: 'r', kind: 'room', metadata: {}, updatedAt: null, updatedBy: null, version: 'a' },
    },
  ],
});

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  frames = [];
  requests.length = 0;
  answer = { status: 200, body: '{}' };
});
afterEach(() => vi.useRealTimers());

describe('the socket of a room', () => {
  async function subscribed() {
    const batches: Batch[] = [];
    const links: boolean[] = [];
    const way = backend();
    const end = await way.subscribe('Plan B/ü', {
      batch: (batch) => batches.push(batch),
      link: (up) => links.push(up),
    });
    FakeSocket.last.opened();
    return { way, end, batches, links };
  }

  it('carries the token as a subprotocol and never in the URL', async () => {
    await subscribed();
    expect(FakeSocket.last.url).toBe('ws://127.0.0.1:4700/rooms/Plan%20B%2F%C3%BC/ws');
    expect(FakeSocket.last.protocols).toEqual(['parlor.v1', 'parlor.bearer.secret-token']);
  });

  it('applies and acknowledges a batch in an animation frame, so a hidden page takes nothing', async () => {
    const { batches } = await subscribed();
    FakeSocket.last.says(snapshot(1));
    expect(batches).toEqual([]);
    expect(FakeSocket.last.sent).toEqual([]);
    frame();
    expect(batches.length).toBe(1);
    expect(FakeSocket.last.sent).toEqual([{ type: 'ack', seq: 1 }]);
  });

  it('sends presence with a number and waits for its result', async () => {
    const { way } = await subscribed();
    const change: PresenceChange = { presence: { typing: true }, expire: { typing: 6_000 } };
    const done = way.presence('Plan B/ü', change);
    const refused = expect(way.presence('Plan B/ü', { presence: { x: 'y' } })).rejects.toMatchObject({
      code: 'NOT_JOINED',
      recoverable: true,
    });
    expect(FakeSocket.last.sent[0]).toEqual({ type: 'presence', id: 1, ...change });
    FakeSocket.last.says({
      type: 'result',
      id: 2,
      ok: false,
      error: { code: 'NOT_JOINED', message: 'join first', recoverable: true },
    });
    FakeSocket.last.says({ type: 'result', id: 1, ok: true });
    await done;
    await refused;
  });

  it('connects again with a growing wait, and takes the new snapshot', async () => {
    const { batches, links } = await subscribed();
    FakeSocket.last.says(snapshot(1));
    frame();
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      FakeSocket.last.dies();
      const before = FakeSocket.all.length;
      let waited = 0;
      while (FakeSocket.all.length === before) {
        await vi.advanceTimersByTimeAsync(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    FakeSocket.last.opened();
    FakeSocket.last.says(snapshot(1));
    frame();
    expect(batches.length).toBe(2);
    expect(links.filter((up, i) => up !== links[i - 1])).toEqual([true, false, true]);
    FakeSocket.last.dies();
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.all.length).toBe(9); // the wait began anew
  });

  it('tries at once when asked to', async () => {
    const { way } = await subscribed();
    FakeSocket.last.dies();
    way.retry?.();
    expect(FakeSocket.all.length).toBe(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all.length).toBe(2);
  });

  it('drops a batch of a connection that ended, and fails what waited on it', async () => {
    const { way, batches } = await subscribed();
    const waiting = expect(way.presence('Plan B/ü', { presence: {} })).rejects.toMatchObject({
      code: 'NETWORK_UNAVAILABLE',
    });
    FakeSocket.last.says(snapshot(1));
    FakeSocket.last.dies();
    frame();
    expect(batches).toEqual([]);
    await waiting;
  });

  it('ends for good', async () => {
    const { end, batches } = await subscribed();
    FakeSocket.last.says(snapshot(1));
    end();
    frame();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches).toEqual([]);
    expect(FakeSocket.all.length).toBe(1);
  });

  it('ignores what it cannot read', async () => {
    const { batches } = await subscribed();
    FakeSocket.last.says('{');
    FakeSocket.last.says({ type: 'something-new' });
    frame();
    expect(batches).toEqual([]);
  });

  it('falls back to a request while there is no connection', async () => {
    const { way } = await subscribed();
    FakeSocket.last.dies();
    await way.presence('r', { presence: { status: 'away' } });
    expect(requests.at(-1)?.url).toBe('http://127.0.0.1:4700/rooms/r/presence');
  });
});

describe('requests', () => {
  it('carry the token in a header and JSON in the body', async () => {
    answer.body = JSON.stringify({ rooms: [] });
    await backend().rooms();
    await backend().createRoom('a b');
    const [read, write] = requests;
    expect(read?.init.headers).toEqual({ Authorization: 'Bearer secret-token', Accept: 'application/json' });
    expect(write?.init).toMatchObject({
      method: 'POST',
      body: '{"room":"a b","private":false}',
      headers: { 'Content-Type': 'application/json' },
    });
    expect(requests.every(({ url }) => !url.includes('secret'))).toBe(true);
  });

  it('turn a problem document into an error with its code', async () => {
    answer = {
      status: 409,
      body: JSON.stringify({
        code: 'NOT_JOINED',
        title: 'Not joined',
        detail: 'Join first.',
        status: 409,
        recoverable: true,
      }),
    };
    await expect(backend().leave('r')).rejects.toMatchObject({
      code: 'NOT_JOINED',
      message: 'Join first.',
      recoverable: true,
    });
  });

  it('write settings for the version that was read, and say which there is when somebody was faster', async () => {
    const problem = { title: 'Precondition failed', status: 412, detail: 'Read again.', recoverable: false };
    answer = {
      status: 412,
      body: JSON.stringify({ code: 'PRECONDITION_FAILED', ...problem, path: 'ifVersion', version: 'b' }),
    };
    await expect(backend().setMetadata('r', { metadata: { title: 'T' }, ifVersion: 'a' })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { path: 'ifVersion', version: 'b' },
    });
    expect(requests[0]?.init.body).toBe('{"metadata":{"title":"T"},"ifVersion":"a"}');
  });

  it('call a peer that does not answer unreachable', async () => {
    answer = { status: 502, body: '<html>' };
    await expect(backend().status()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE', recoverable: true });
  });

  it('read and change the lab of a peer, and hear of it that it has none', async () => {
    answer.body = JSON.stringify({ people: [{ room: 'r', count: 5, seed: 7, here: 0 }] });
    const way = backend();
    expect((await way.lab?.())?.people[0]?.count).toBe(5);
    await way.changeLab?.({ clear: true, people: [{ room: 'r', count: 5 }] });
    expect(requests.map(({ url, init }) => [url, init.method, init.body])).toEqual([
      ['http://127.0.0.1:4700/lab', 'GET', undefined],
      ['http://127.0.0.1:4700/lab', 'POST', '{"clear":true,"people":[{"room":"r","count":5}]}'],
    ]);
    const problem = { title: 'Forbidden', status: 403, detail: 'Start it with --lab.', recoverable: false };
    answer = { status: 403, body: JSON.stringify({ code: 'FORBIDDEN', ...problem }) };
    await expect(way.lab?.()).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'Start it with --lab.' });
  });

  it('ask for pages of members', async () => {
    await backend().members('r', { limit: 5, by: 'session' });
    expect(requests[0]?.url).toBe('http://127.0.0.1:4700/rooms/r/members?limit=5&by=session');
  });
});

describe('takeHash', () => {
  it('takes token and room and leaves no trace in the address bar', () => {
    const replaced: string[] = [];
    const history = { replaceState: (_: unknown, __: string, url: string) => replaced.push(url) } as unknown as History;
    const location = { hash: '#token=a-b_c&room=Plan%20B', pathname: '/', search: '?x=1' } as Location;
    expect(takeHash(location, history)).toEqual({ token: 'a-b_c', room: 'Plan B' });
    expect(replaced).toEqual(['/?x=1']);
    expect(takeHash({ hash: '', pathname: '/', search: '' } as Location, history)).toEqual({ token: null, room: null });
    expect(replaced.length).toBe(1);
  });
});
