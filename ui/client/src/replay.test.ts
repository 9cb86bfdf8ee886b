// @vitest-environment node
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLive } from './live';
import { joined } from './replay';
import { webBackend } from './web';

const FILE = Uint8Array.of(1, 0, 255, 2);

describe('recordings over HTTP', () => {
  let server: Server;
  let origin: string;
  let asked: { readonly line: string; readonly type: string | undefined; readonly body: readonly number[] }[];
  let answer: { status: number; type: string; body: string | Uint8Array };

  beforeEach(async () => {
    asked = [];
    answer = { status: 200, type: 'application/json', body: '{"step":3}' };
    server = createServer((request: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = [...Buffer.concat(chunks)];
        asked.push({ line: `${request.method} ${request.url}`, type: request.headers['content-type'], body });
        response.writeHead(answer.status, { 'Content-Type': answer.type }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('are bytes when they come', async () => {
    answer = { status: 200, type: 'application/octet-stream', body: FILE };
    const live = createLive({ origin, token: 't' });
    expect(await live.recording('a b')).toEqual(FILE);
    expect(await live.recording('a b', { values: true })).toEqual(FILE);
    expect(asked.map(({ line }) => line)).toEqual([
      'GET /rooms/a%20b/recording?values=false',
      'GET /rooms/a%20b/recording?values=true',
    ]);
  });

  it('are bytes when they go, with what is asked in the address', async () => {
    const { replays } = webBackend({ origin, token: 't' });
    expect(await replays?.replay(FILE, { from: 2, limit: 5, at: 0 })).toEqual({ step: 3 });
    await replays?.replayState(FILE, { atMs: 1_500 });
    await replays?.replayLineup(FILE, Uint8Array.of(9));
    answer = { status: 200, type: 'text/plain', body: '#[test]' };
    expect(await replays?.replayTest(FILE, 'lost note')).toBe('#[test]');
    const [one, two, both, test] = asked;
    expect([one, two, both, test].map((one) => one?.line)).toEqual([
      'POST /replay?from=2&limit=5&at=0',
      'POST /replay/state?atMs=1500',
      'POST /replay/lineup?first=4',
      'POST /replay/test?name=lost+note',
    ]);
    expect(asked.every(({ type }) => type === 'application/octet-stream')).toBe(true);
    expect([one?.body, both?.body]).toEqual([[...FILE], [...FILE, 9]]);
  });

  it('are refused as everything is', async () => {
    const problem = { code: 'INVALID_RECORDING', detail: 'it was cut short or damaged', recoverable: false };
    answer = { status: 400, type: 'application/problem+json', body: JSON.stringify(problem) };
    const live = createLive({ origin, token: 't' });
    for (const ask of [() => live.replay(FILE), () => live.replayTest(FILE), () => live.recording('a')])
      await expect(ask()).rejects.toMatchObject({ code: 'INVALID_RECORDING' });
  });
});

it('two files stand one behind the other', () => {
  expect(joined(Uint8Array.of(1, 2), Uint8Array.of(3))).toEqual(Uint8Array.of(1, 2, 3));
});
