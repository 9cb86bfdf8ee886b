/** One error for every way to reach a peer: the code of the contract, a sentence, and whether trying again can help. */
import type { Error as WireError } from './generated/Error';
import type { ErrorCode } from './generated/ErrorCode';

export class ParlorError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly recoverable: boolean;

  constructor(wire: WireError) {
    super(wire.message);
    this.name = 'ParlorError';
    this.code = wire.code;
    this.details = wire.details ?? {};
    this.recoverable = wire.recoverable;
  }
}

/** What a problem document of HTTP has beside the details. */
const OF_A_PROBLEM = new Set(['code', 'title', 'status', 'detail', 'recoverable', 'type', 'instance']);

/** Makes an error of whatever was thrown or answered. What has no code counts as a peer that cannot be reached. */
export function toParlorError(cause: unknown): ParlorError {
  if (cause instanceof ParlorError) return cause;
  // What the system throws has codes of its own, which are none of the contract.
  if (isObject(cause) && !(cause instanceof Error) && typeof cause['code'] === 'string') {
    const wire = cause as Partial<WireError> & { code: ErrorCode; detail?: string; title?: string };
    const problem = Object.entries(cause).filter(([member]) => !OF_A_PROBLEM.has(member));
    return new ParlorError({
      code: wire.code,
      // A problem document says `detail` where the other ways say `message`, and has the details as members of its own.
      message: wire.message ?? wire.detail ?? wire.title ?? wire.code,
      details: wire.details ?? (wire.message === undefined ? Object.fromEntries(problem) : {}),
      recoverable: wire.recoverable ?? false,
    });
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ParlorError({ code: 'NETWORK_UNAVAILABLE', message, recoverable: true });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
