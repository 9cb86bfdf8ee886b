/** The board and the log of a simulated room. */
import type { Board } from '../generated/Board';
import type { BoardChange } from '../generated/BoardChange';
import type { FeedEvent } from '../generated/FeedEvent';
import type { HistoryPage } from '../generated/HistoryPage';
import type { HistoryQuery } from '../generated/HistoryQuery';
import type { Message } from '../generated/Message';
import type { Note } from '../generated/Note';
import type { Publish } from '../generated/Publish';
import { refuse } from './access';

/** Who writes: the user and the name that a message keeps. */
export interface Writer {
  readonly userId: string;
  readonly name: string;
}

const SAID = [
  'Power is out on deck 3, generator two does not start.',
  'I have the key to the cable room. On my way.',
  'Harbour office says the crane feed is fine: https://harbour.example/status',
  'Can somebody look at breaker 7? @Quiet Otter you were there last week',
  'Breaker 7 was open. Closed it, lights are back on the east side.',
];
const WRITTEN: readonly [text: string, color: string, x: number, y: number][] = [
  ['Generator 2: no fuel pressure', 'pink', -420, -220],
  ['East side is back 14:32', 'green', -180, -220],
  ['Crane feed: fine', 'blue', 60, -220],
  ['Ask harbour office for the spare pump', 'yellow', -420, -40],
  ['Breaker 7 was open', 'orange', -180, -40],
];

export class FakeShared {
  readonly notes = new Map<string, Note>();
  #log: Message[] = [];
  #said = 0;

  /** `people` wrote before; nobody did in a room without any. */
  constructor(
    private readonly room: string,
    people: readonly Writer[],
    private readonly tell: (event: FeedEvent) => void,
  ) {
    if (people.length === 0) return;
    const by = (i: number) => people[i % people.length] ?? { userId: 'u_somebody', name: 'Somebody' };
    WRITTEN.forEach(([text, color, x, y], i) => {
      this.#write({ id: `fake${i}`, text, color, x, y, z: i }, by(i).userId, Date.now() - 600_000 + i * 60_000);
    });
    SAID.forEach((text, i) => this.#say({ type: 'chat', data: { text }, keep: true }, by(i), Date.now() - 500_000 + i * 70_000));
  }

  board(): Board {
    return { room: this.room, kind: 'room', notes: [...this.notes.values()] };
  }

  change({ set = [], remove = [] }: BoardChange, by: string): Board {
    const notes = set.map((note) => this.#write(note, by, Date.now()));
    const removed = remove.filter((id) => !notes.some((note) => note.id === id) && this.notes.delete(id));
    this.tell({ type: 'board', notes, removed });
    return { room: this.room, kind: 'room', notes };
  }

  history({ limit = 100, cursor }: HistoryQuery): HistoryPage {
    const from = cursor === undefined ? 0 : this.#log.findIndex((message) => message.id === cursor) + 1;
    const messages = this.#log.slice(from, from + limit);
    return { messages, nextCursor: from + limit < this.#log.length ? (messages.at(-1)?.id ?? null) : null };
  }

  publish(args: Publish, by: Writer): Message {
    if (args.type === '') refuse('INVALID_MESSAGE', 'type is empty');
    const message = this.#say(args, by, Date.now());
    this.tell({ type: 'message', message });
    return message;
  }

  #write(change: Partial<Note> & { id: string }, by: string, at: number): Note {
    const before = this.notes.get(change.id) ?? { x: 0, y: 0, w: 200, h: 150, z: 0, color: 'yellow', text: '' };
    const note = { ...before, ...change, updatedAt: new Date(at).toISOString(), updatedBy: by };
    this.notes.set(note.id, note);
    return note;
  }

  #say({ type, data = null, keep = false, memberId }: Publish, by: Writer, at: number): Message {
    const message: Message = {
      id: `m_${this.room}${++this.#said}`,
      type,
      data,
      actor: { kind: 'user', ...by },
      memberId: memberId ?? by.userId,
      publishedAt: new Date(at).toISOString(),
      kept: keep,
    };
    if (keep) this.#log = [message, ...this.#log];
    return message;
  }
}
