/**
 * A network in which nearly everything is wrong, as a peer would tell of it: the real one of these tests is a loopback, of
 * which there is little to say, and other computers have other interfaces.
 */
const otter = '/ip4/192.168.1.31/tcp/4747';
const rules = [
  { firewall: 'ufw', commands: ['sudo ufw allow 4747/tcp', 'sudo ufw allow 4747/udp'] },
  {
    firewall: 'firewalld',
    commands: ['sudo firewall-cmd --permanent --add-port=4747/tcp --add-port=4747/udp', 'sudo firewall-cmd --reload'],
  },
  {
    firewall: 'windows',
    commands: ['TCP', 'UDP'].map(
      (name) =>
        `New-NetFirewallRule -DisplayName Parlor -Direction Inbound -Action Allow -Profile Private -Protocol ${name} -LocalPort 4747`,
    ),
  },
];
const finding = (code, severity, about = null, more = {}) => ({
  code,
  severity,
  about,
  what: code,
  fix: code,
  ports: { tcp: [], udp: [] },
  rules: [],
  ...more,
});
const link = {
  peerId: '12D3KooWHeron',
  sessionId: '00',
  addresses: ['/ip4/192.168.1.32/tcp/4747'],
  direction: 'in',
  transport: 'tcp',
  rttMs: 0.6,
  clockAheadMs: 2,
  version: '0.1.0',
  speaks: 'same',
  rooms: [],
  source: 'hello',
  name: 'Brave Heron',
};

export const REPORT = {
  findings: [
    finding('PEER_BLOCKED', 'problem', otter, { ports: { tcp: [4747], udp: [4747] }, rules }),
    finding('MULTICAST_FILTERED', 'warning'),
    finding('PEER_GONE', 'hint', '/ip4/192.168.1.40/tcp/4747'),
  ],
  firewalls: [],
  network: 'online',
  listen: ['/ip4/192.168.1.20/tcp/4747'],
  interfaces: [
    { name: 'wlp3s0', address: '192.168.1.20/24', ignored: null, multicast: 'heard', broadcast: 'heard' },
    { name: 'docker0', address: '172.17.0.1/16', ignored: 'virtual', multicast: null, broadcast: null },
  ],
  mdns: { state: 'on', byMulticast: 0, byBroadcast: 0, lastMsAgo: null },
  hello: { state: 'on', byMulticast: 0, byBroadcast: 2, lastMsAgo: 40 },
  peers: [
    { link: null, source: 'hello', place: 'network', met: false, addresses: [{ address: otter, reach: 'silent', afterMs: 4000 }] },
    { link, source: 'hello', place: 'network', met: true, addresses: [{ address: link.addresses[0], reach: 'open', afterMs: 1 }] },
  ],
};
