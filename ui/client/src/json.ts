/** What a call says, as JSON. */
import { ParlorError } from './errors';
import type { ErrorCode } from './generated/ErrorCode';

/**
 * What a peer answers to an argument that cannot be: the code of a call's arguments, and of those that have one of their
 * own. Calls go by the name of their command and by the last step of their path.
 */
const CODES: Record<string, { readonly rest: ErrorCode } & { readonly [argument: string]: ErrorCode }> = {
  join: {
    rest: 'INVALID_PRESENCE',
    metadata: 'INVALID_METADATA',
    memberId: 'INVALID_MEMBER_ID',
    ticket: 'INVALID_TICKET',
  },
  presence: { rest: 'INVALID_PRESENCE', memberId: 'INVALID_MEMBER_ID' },
  leave: { rest: 'INVALID_MEMBER_ID' },
  metadata: { rest: 'INVALID_METADATA' },
  board: { rest: 'INVALID_BOARD' },
  messages: { rest: 'INVALID_MESSAGE', memberId: 'INVALID_MEMBER_ID' },
  members: { rest: 'INVALID_LIMIT', cursor: 'INVALID_CURSOR' },
  history: { rest: 'INVALID_LIMIT', cursor: 'INVALID_CURSOR' },
  access: { rest: 'INVALID_MEMBER_ID' },
  share: {
    rest: 'INVALID_JSON',
    address: 'INVALID_TICKET',
    port: 'INVALID_TICKET',
    minutes: 'INVALID_LIMIT',
    putOut: 'INVALID_MEMBER_ID',
  },
  lab: { rest: 'INVALID_LIMIT', clear: 'INVALID_JSON' },
  profile: { rest: 'INVALID_PRESENCE' },
  session: { rest: 'INVALID_PRESENCE' },
  rooms: { rest: 'INVALID_ROOM_ID' },
  tickets: { rest: 'INVALID_TICKET' },
  peers: { rest: 'INVALID_TICKET' },
};
const COMMANDS: Record<string, string> = {
  set_metadata: 'metadata',
  set_board: 'board',
  publish: 'messages',
  change_access: 'access',
  change_share: 'share',
  change_lab: 'lab',
  set_profile: 'profile',
};

/** Far beyond what any call may have, and far from what a browser can write. */
const DEEPEST = 100;

/**
 * The text of a call's arguments. JSON has no word for what is no number, has no end or leads back to itself, and none for
 * a BigInt: such a thing is refused here by its place, as the peer would.
 */
export function jsonOf(value: unknown, call: string): string {
  /** The objects around what is written, the outermost first, with their places. */
  const around: { readonly object: unknown; readonly place: string }[] = [];
  return JSON.stringify(value, function (this: unknown, key: string, item: unknown): unknown {
    while (around.length > 0 && around.at(-1)?.object !== this) around.pop();
    const within = around.at(-1)?.place ?? '';
    const place = within === '' ? key : `${within}.${key}`;
    if (typeof item === 'number' && !Number.isFinite(item)) {
      throw refusal(call, place, `is ${item}; a finite number is allowed`);
    }
    if (typeof item === 'bigint') throw refusal(call, place, 'is a BigInt; a number or a string is allowed');
    if (typeof item !== 'object' || item === null) return item;
    if (around.some(({ object }) => object === item)) throw refusal(call, place, 'leads back to what it is in');
    if (around.length > DEEPEST) throw tooDeep(place);
    around.push({ object: item, place });
    return item;
  });
}

function refusal(call: string, path: string, why: string): ParlorError {
  const codes = CODES[COMMANDS[call] ?? call];
  const [argument = ''] = path.split('.');
  const code = (codes && (Object.hasOwn(codes, argument) ? codes[argument] : codes.rest)) ?? 'INVALID_JSON';
  return new ParlorError({ code, message: `${path} ${why}`, details: { path }, recoverable: false });
}

function tooDeep(place: string): ParlorError {
  const path = place.split('.').slice(0, 2).join('.');
  const message = `${path} is nested more than ${DEEPEST} levels deep; at most 8 are allowed`;
  const details = { limit: 'depth', max: 8, actual: DEEPEST + 1, path };
  return new ParlorError({ code: 'PAYLOAD_TOO_LARGE', message, details, recoverable: false });
}
