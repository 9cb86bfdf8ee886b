import type { Diagnostics } from '../generated/Diagnostics';

/** What a peer with one neighbour in one room says of itself. */
export function fakeDiagnostics(): Diagnostics {
  const way = { state: 'on', byMulticast: 1, byBroadcast: 0, lastMsAgo: 4_000 } as const;
  return {
    madeAt: '2026-05-04T09:30:00.000Z',
    version: '0.1.0',
    system: 'linux x86_64',
    session: 'LpXeRu7a',
    lab: false,
    network: { state: 'online', listen: ['ip4/tcp/4747'], mdns: way, hello: way, clockAheadMs: null, findings: null },
    peers: [
      {
        peer: 'QyS3Bm9k',
        direction: 'out',
        transport: 'tcp',
        rttMs: 0.6,
        clockAheadMs: 2,
        speaks: 'same',
        source: 'mdns',
        rooms: ['3f9a01bc'],
        watchdog: 0,
      },
    ],
    rooms: [
      { room: '3f9a01bc', private: false, members: 2, own: 1, stale: 0, watching: 0, notes: 3, complete: true },
    ],
    cloned: false,
    notices: 0,
    counters: { sent: 12 },
    log: [],
    crash: null,
  };
}
