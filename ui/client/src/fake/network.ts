/** What a made-up peer finds when it looks at its network: somebody's firewall is closed, the rest is well. */
import type { NetworkReport } from '../generated/NetworkReport';

export function fakeReport(): NetworkReport {
  const way = { state: 'on', byMulticast: 2, byBroadcast: 0, lastMsAgo: 40 } as const;
  const interfaces = [
    { name: 'eth0', address: '192.168.1.20/24', ignored: null, multicast: 'heard', broadcast: 'heard' },
    { name: 'docker0', address: '172.17.0.1/16', ignored: 'virtual', multicast: null, broadcast: null },
  ] as const;
  const address = '/ip4/192.168.1.31/tcp/4747';
  return {
    findings: [
      {
        code: 'PEER_BLOCKED',
        severity: 'problem',
        about: address,
        what: `${address} lets nobody in.`,
        fix: 'Let TCP port 4747 come in on that computer.',
        ports: { tcp: [4747], udp: [4747] },
        rules: [
          { firewall: 'ufw', commands: ['sudo ufw allow 4747/tcp', 'sudo ufw allow 4747/udp'] },
          {
            firewall: 'firewalld',
            commands: ['sudo firewall-cmd --permanent --add-port=4747/tcp --add-port=4747/udp', 'sudo firewall-cmd --reload'],
          },
        ],
      },
      {
        code: 'MULTICAST_FILTERED',
        severity: 'warning',
        about: null,
        what: 'Something filters multicast.',
        fix: 'Nothing has to be done.',
        ports: { tcp: [], udp: [] },
        rules: [],
      },
    ],
    firewalls: [],
    network: 'online',
    listen: ['/ip4/192.168.1.20/tcp/4747'],
    interfaces: [...interfaces],
    mdns: way,
    hello: { ...way, byMulticast: 0, byBroadcast: 2 },
    peers: [
      { link: null, source: 'mdns', place: 'network', met: false, addresses: [{ address, reach: 'silent', afterMs: 4_000 }] },
    ],
  };
}
