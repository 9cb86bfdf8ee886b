/** An address as people read and type it: `192.168.1.20:4747` for `/ip4/192.168.1.20/tcp/4747`. */
export function readable(address: string): string {
  const found = /^\/ip([46])\/([^/]+)\/(tcp|udp)\/(\d+)(\/quic-v1)?/.exec(address);
  if (found === null) return address;
  const [, version, host, , port, quic] = found;
  const place = version === '6' ? `[${host}]:${port}` : `${host}:${port}`;
  return quic === undefined ? place : `${place} (QUIC)`;
}
