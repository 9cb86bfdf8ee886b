/** Tickets of simulated rooms: they carry the name and how often the key was changed, and look like those of real ones. */
import { ParlorError } from '../errors';
import type { Invitation } from '../generated/Invitation';
import type { Share } from '../generated/Share';
import type { TicketInfo } from '../generated/TicketInfo';
import { seeded } from './people';

const OF = { open: 'open', private: 'shut' } as const;
/** Squares on a side of the simulated code: as many as the code of a real ticket has. */
const SIDE = 57;

export function fakeTicket(room: string, isPrivate: boolean, epoch = 0): Invitation {
  const letters = [...new TextEncoder().encode(room)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const code = `${isPrivate ? OF.private : OF.open}${epoch.toString(16).padStart(2, '0')}${letters}`;
  return { room, ticket: `parlor:${code}`, link: `parlor://join/${code}`, qr: squares() };
}

export function readFakeTicket(ticket: string): TicketInfo & { epoch: number } {
  const [, kind, epoch = '', letters = ''] =
    /^parlor:(?:\/\/join\/)?(open|shut)([0-9a-f]{2})((?:[0-9a-f]{2})+)$/.exec(ticket) ?? [];
  if (kind === undefined) {
    const message = 'the ticket is damaged: a character of it is missing or wrong';
    throw new ParlorError({ code: 'INVALID_TICKET', message, recoverable: false });
  }
  const bytes = Uint8Array.from(letters.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return {
    epoch: Number.parseInt(epoch, 16),
    room: new TextDecoder().decode(bytes),
    private: kind === OF.private,
    createdBy: kind === OF.private ? 'u_cxkd7zq5m3fvb6t2' : null,
    invitedBy: 'u_k4mmx7v2wq6tbd5h',
    addresses: ['/ip4/192.168.1.30/tcp/4747'],
  };
}

/** A room that is shared to two browsers. */
export function fakeShare(room: string): Share {
  const link = 'http://192.168.1.30:4767/#a3yx4dkq7mvn2ts6hrzbj5wc4e';
  return {
    room,
    link,
    links: [link],
    qr: squares(33),
    encrypted: false,
    fingerprint: null,
    guests: [
      { userId: 'u_q3zr7m2xk5vt4abd', name: 'Bold Heron' },
      { userId: 'u_t6wn4c7hy2pse3ku', name: 'Merry Wren' },
    ],
    guestsMax: 32,
    expiresAt: new Date(Date.now() + 8 * 3_600_000).toISOString(),
    refused: {},
  };
}

/** Three finders and noise. */
function squares(side = SIDE): string[] {
  const random = seeded(11);
  const finder = (x: number, y: number) => {
    const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
    return ring === 3 || ring < 2;
  };
  return Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) => {
      const noise = random() < 0.5;
      const corners = [[0, 0], [side - 7, 0], [0, side - 7]] as const;
      const near = corners.find(([left, top]) => x >= left - 1 && x < left + 8 && y >= top - 1 && y < top + 8);
      return (near === undefined ? noise : finder(x - near[0], y - near[1])) ? '1' : '0';
    }).join(''),
  );
}
