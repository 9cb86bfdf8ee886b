/**
 * What a peer does inside, over HTTP: frames, cells, links, leases and refusals as they happen, behind a snapshot of all
 * that it holds. When the connection breaks it is made again, and begins with a snapshot.
 */
import type { Unsubscribe } from './backend';
import { searchOf } from './call';
import { toParlorError } from './errors';
import { follow, type Follower, type FollowOptions } from './event-stream';
import type { Inspect } from './generated/Inspect';
import type { InspectSnapshot } from './generated/InspectSnapshot';

export interface InspectOptions extends Omit<FollowOptions, 'guest'> {
  /** This room, and what is in none; all rooms when missing. */
  readonly room?: string;
  /** With the first 1,024 bytes of each frame, as it travels: those of private rooms are sealed. */
  readonly bytes?: boolean;
}

/** Looks at what a peer does until the answer is called. While nobody looks, the peer notes nothing. */
export function inspect({ room, bytes, ...options }: InspectOptions, follower: Follower<Inspect>): Unsubscribe {
  const query = { ...(room === undefined ? {} : { room }), ...(bytes === true ? { bytes } : {}) };
  return follow(`/inspect${searchOf(query)}`, options, follower);
}

/** How a peer and its rooms are now. A peer that is away is waited for. */
export function inspectOnce(options: InspectOptions): Promise<InspectSnapshot> {
  return new Promise((resolve, reject) => {
    const done = inspect(options, {
      item(item) {
        if (item.type !== 'snapshot') return;
        done();
        resolve(item);
      },
      link(up) {
        if (up) return;
        done();
        reject(toParlorError(new Error('the peer did not say how it is')));
      },
      failed: reject,
    });
  });
}
