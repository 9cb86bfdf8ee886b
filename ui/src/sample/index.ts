/**
 * "Try it alone": a room with three made-up people, for somebody who has nobody near yet. It is loaded when it is wanted
 * and talks to nothing: no call of it leaves this file's folder, so nobody can see it, and leaving it leaves nothing.
 */
import type { Backend, Status, Subscriber } from 'parlor-client';
import { PALETTE } from '../domain/colour';
import { SamplePerson, type Doing } from './sample-person';
import { refuse, SAMPLE_ROOM, SampleRoom, type Words } from './sample-room';
import { seeded } from './seeded';

export { SAMPLE_ROOM };

const STEP_MS = 33;
/** A computer that slept, or a window that was hidden, does not make them hurry. */
const STEP_MAX_MS = 250;
const HOMES = [
  { x: -160, y: -40 },
  { x: 120, y: -120 },
  { x: -340, y: 80 },
] as const;
const LIKES: readonly (readonly Doing[])[] = [
  ['talk', 'point', 'say', 'move'],
  ['move', 'write', 'point', 'say'],
  ['draw', 'write', 'talk', 'point'],
];

export interface SampleOptions {
  readonly self: Status;
  readonly words: Words;
  readonly seed?: number;
  /** Replaced in tests. */
  readonly world?: {
    now(): number;
    every(run: () => void, ms: number): () => void;
    frame(run: () => void): void;
  };
}

const BROWSER: NonNullable<SampleOptions['world']> = {
  now: () => performance.now(),
  every: (run, ms) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  frame: (run) => void requestAnimationFrame(run),
};

export function sampleBackend({ self, words, seed = 4, world = BROWSER }: SampleOptions): Backend {
  const random = seeded(seed);
  const room = new SampleRoom(words, self);
  let [elapsed, last] = [0, world.now()];
  const step = () => {
    const now = world.now();
    elapsed += Math.min(now - last, STEP_MAX_MS);
    last = now;
    room.step(elapsed);
  };
  const free = PALETTE.filter((colour) => colour !== self.color);
  room.fill(
    words.people.map(
      (name, place) =>
        new SamplePerson(
          {
            memberId: `sample-${place}`,
            name,
            colour: free[(place * 4 + 2) % free.length] ?? PALETTE[0],
            role: words.roles[place] ?? '',
            status: words.statuses[place] ?? '',
            home: HOMES[place % HOMES.length] ?? HOMES[0],
            likes: LIKES[place % LIKES.length] ?? LIKES[0] ?? [],
          },
          room,
          random,
        ),
    ),
  );
  const summary = {
    ...{ room: SAMPLE_ROOM, kind: 'room' as const, joined: true, private: false, title: words.roomTitle },
    ...{ members: room.members.length, faces: [], near: false, lastOpenedAt: null },
  };
  const alone = () => refuse('FORBIDDEN', words.noInvite);

  return {
    kind: 'sample',
    rooms: async () => [],
    createRoom: async () => summary,
    forgetRoom: async () => false,
    join: async (_, args) => room.join(args),
    presence: async (_, change) => room.presence(change),
    leave: async () => ({
      ...{ room: SAMPLE_ROOM, kind: 'room', memberId: self.userId, left: room.leave() },
      leftAt: new Date().toISOString(),
    }),
    members: async () => {
      const members = [...room.members];
      return { members, nextCursor: null, total: members.length, complete: true, watching: 0 };
    },
    metadata: async () => room.metadata,
    setMetadata: async (_, change) => room.change(change),
    board: async () => ({ room: SAMPLE_ROOM, kind: 'room', notes: [...room.notes] }),
    setBoard: async (_, change) => ({ room: SAMPLE_ROOM, kind: 'room', notes: room.setBoard(change) }),
    history: async (_, { limit = 100, cursor } = {}) => {
      const from = cursor === undefined ? 0 : room.log.findIndex((message) => message.id === cursor) + 1;
      const messages = room.log.slice(from, from + limit);
      return { messages, nextCursor: from + limit < room.log.length ? (messages.at(-1)?.id ?? null) : null };
    },
    publish: async (_, args) => room.publish(args),
    access: async () => null,
    changeAccess: async () => alone(),
    ticket: async () => alone(),
    share: async () => null,
    changeShare: async () => alone(),
    readTicket: async () => alone(),
    peers: async () => [],
    checkNetwork: async () => alone(),
    diagnostics: async () => alone(),
    dial: async () => alone(),
    status: async () => self,
    setProfile: async () => self,
    newIdentity: async () => alone(),
    async subscribe(_, subscriber: Subscriber) {
      let open = true;
      const end = world.every(step, STEP_MS);
      // One batch a frame at most, and none while the window is hidden: the frame is the acknowledgement.
      const pump = (first?: ReturnType<SampleRoom['snapshot']>) => {
        if (!open) return;
        const batch = room.batch(first);
        if (batch !== null) subscriber.batch(batch);
        world.frame(() => pump());
      };
      subscriber.link?.(true);
      world.frame(() => pump(room.snapshot()));
      return () => {
        open = false;
        end();
      };
    },
  };
}
