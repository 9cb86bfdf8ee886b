// @vitest-environment happy-dom
import { ParlorError, type Backend, type HistoryQuery, type Message, type Publish } from 'parlor-client';
import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from '../app/notes.svelte';
import type { Person } from '../room/person';
import type { RoomSettings } from '../room/settings.svelte';
import { setNotifyOf } from './notify-choice';
import type { Notice } from './notifier';
import { RoomMessages } from './room-messages.svelte';

const NOW = Date.parse('2026-11-25T12:00:00.000Z');

/** A peer whose log is the test's to write. */
class Peer {
  log: Message[] = [];
  readonly asked: HistoryQuery[] = [];
  readonly said: Publish[] = [];
  failing = false;

  say(id: string, at: number, by = 'u_a', text = id): Message {
    const message: Message = {
      id,
      type: 'chat',
      data: { text },
      actor: { kind: 'user', userId: by, name: by === 'u_a' ? 'Calm Heron' : by },
      memberId: by,
      publishedAt: new Date(NOW + at).toISOString(),
      kept: true,
    };
    this.log = [...this.log, message].sort((a, b) => (a.publishedAt < b.publishedAt ? 1 : -1));
    return message;
  }

  get backend(): Backend {
    return {
      kind: 'web',
      history: async (_: string, query: HistoryQuery) => {
        this.asked.push(query);
        if (this.failing) throw new ParlorError({ code: 'NETWORK_UNAVAILABLE', message: 'gone', recoverable: true });
        const { limit = 100, cursor } = query;
        const from = cursor === undefined ? 0 : this.log.findIndex((message) => message.id === cursor) + 1;
        const messages = this.log.slice(from, from + limit);
        return { messages, nextCursor: from + limit < this.log.length ? (messages.at(-1)?.id ?? null) : null };
      },
      publish: async (_: string, args: Publish) => {
        this.said.push(args);
        return this.say(`own-${args.idempotencyKey}`, Date.now() - NOW, 'u_me', (args.data as { text: string }).text);
      },
    } as unknown as Backend;
  }
}

let peer: Peer;
let notes: Notes;
let notices: Notice[];
let messages: RoomMessages;
let pins: string[];

function enter(room = 'r') {
  const settings = { pins, change: async () => {} } as unknown as RoomSettings;
  messages = new RoomMessages({
    backend: peer.backend,
    room,
    notes,
    settings,
    notifier: { permission: () => 'granted', ask: async () => 'granted', show: (notice) => notices.push(notice) },
    me: () => ({ userId: 'u_me', name: 'Quiet Otter' }),
    people: () => [] as Person[],
  });
  return messages.load();
}

const ids = (list: readonly Message[]) => list.map((message) => message.id).join(' ');

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  localStorage.clear();
  sessionStorage.clear();
  peer = new Peer();
  notes = new Notes();
  notices = [];
  pins = [];
});
afterEach(() => {
  messages.close();
  vi.useRealTimers();
});

describe('what is read', () => {
  it('is nothing of what was said before one came for the first time', async () => {
    peer.say('a', -60_000);
    await enter();
    expect(ids(messages.log)).toBe('a');
    expect(messages.unread).toEqual([]);
    messages.hear(peer.say('b', 1_000));
    expect(ids(messages.unread)).toBe('b');
  });

  it('is what was in view, or comes to the end that one looks at', async () => {
    await enter();
    for (const id of ['a', 'b', 'c']) messages.hear(peer.say(id, id.charCodeAt(0)));
    messages.setOpen(true);
    expect([...messages.fresh]).toEqual(['a', 'b', 'c']);
    messages.seen(['a', 'b']);
    expect(ids(messages.unread)).toBe('c');
    messages.readAll();
    messages.setAtEnd(true);
    messages.hear(peer.say('d', 2_000));
    expect(messages.unread).toEqual([]);
    // Late and in the past: not where one looks.
    messages.hear(peer.say('late', 50));
    expect(ids(messages.unread)).toBe('late');
    expect(ids(messages.log)).toBe('late a b c d');
    messages.look(false);
    messages.hear(peer.say('e', 3_000));
    expect(ids(messages.unread)).toBe('late e');
    messages.seen(['e']);
    expect(ids(messages.unread)).toBe('late e');
  });

  it('is remembered, and what came meanwhile is told when one comes back', async () => {
    await enter();
    messages.hear(peer.say('a', 10));
    messages.readAll();
    messages.close();
    vi.setSystemTime(NOW + 120_000);
    peer.say('past', 5);
    peer.say('b', 60_000, 'u_b');
    await enter();
    expect(ids(messages.unread)).toBe('past b');
    await vi.advanceTimersByTimeAsync(1_500);
    expect(messages.away).toMatchObject({ ids: ['past', 'b'], writers: ['u_a', 'u_b'] });
    expect(notes.shown[0]?.text).toBe('While you were away: 2 messages from Calm Heron and u_b');
    messages.setOpen(true);
    expect(notes.shown).toEqual([]);
  });

  it('is not told of a moment, and told after a while', async () => {
    await enter();
    messages.setAway(true);
    messages.hear(peer.say('a', 10));
    await vi.advanceTimersByTimeAsync(5_000);
    messages.setAway(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(messages.away).toBeNull();
    messages.setAway(true);
    await vi.advanceTimersByTimeAsync(60_000);
    messages.setAway(false);
    // The page was handed nothing while it was hidden.
    messages.hear(peer.say('b', 30_000));
    messages.hear(peer.say('now', 70_001));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(messages.away?.ids).toEqual(['b']);
  });

  it('is put together with what another page of this browser read', async () => {
    await enter();
    messages.hear(peer.say('a', 10));
    const first = messages;
    await enter();
    messages.readAll();
    messages.save();
    first.marksChanged();
    expect(first.unread).toEqual([]);
    first.close();
  });
});

describe('pages', () => {
  it('come as they are asked for, and show no hole', async () => {
    for (let i = 0; i < 250; i++) peer.say(`m${String(i).padStart(3, '0')}`, i - 100_000);
    await enter();
    expect(messages.log).toHaveLength(100);
    expect(messages.older).toBe('more');
    messages.hear(peer.say('early', -200_000));
    expect(messages.log).toHaveLength(100);
    await messages.loadOlder();
    expect(messages.log).toHaveLength(200);
    await messages.loadOlder();
    expect(messages.older).toBe('none');
    expect(messages.log.map((message) => message.id).slice(0, 2)).toEqual(['early', 'm000']);
    expect(messages.log).toHaveLength(251);
  });

  it('are read again as far as they were when the feed began anew', async () => {
    for (let i = 0; i < 250; i++) peer.say(`m${i}`, i - 100_000);
    await enter();
    await messages.loadOlder();
    peer.say('missed', 100 - 100_000 + 0.5);
    await messages.load();
    expect(messages.log.some((message) => message.id === 'missed')).toBe(true);
    expect(new Set(messages.log.map((message) => message.id)).size).toBe(messages.log.length);
  });

  it('are read down to what is shown when much was said meanwhile', async () => {
    for (let i = 0; i < 250; i++) peer.say(`m${i}`, i - 100_000);
    await enter();
    const oldest = messages.log[0]?.id;
    for (let i = 250; i < 420; i++) peer.say(`m${i}`, i - 100_000);
    await messages.load();
    expect(messages.log.some((message) => message.id === oldest)).toBe(true);
    expect(messages.log.length).toBeGreaterThanOrEqual(270);
  });

  it('go back to where reading stopped', async () => {
    await enter();
    messages.hear(peer.say('a', 10));
    messages.readAll();
    messages.close();
    for (let i = 0; i < 230; i++) peer.say(`m${i}`, 1_000 + i);
    await enter();
    expect(messages.unread).toHaveLength(230);
    expect(messages.log[0]?.id).toBe('a');
  });

  it('that cannot be read say so, and can be tried again', async () => {
    peer.failing = true;
    await enter();
    expect(messages.phase).toBe('failed');
    peer.failing = false;
    peer.say('a', 1);
    await messages.load();
    expect(messages.phase).toBe('ready');
    expect(ids(messages.log)).toBe('a');
  });

  it('are read until a message that is asked for, or pinned, is there', async () => {
    for (let i = 0; i < 250; i++) peer.say(`m${i}`, i - 100_000);
    pins = ['m0', 'nowhere'];
    await enter();
    expect(ids(messages.pins)).toBe('');
    await messages.show('m120');
    expect(messages.wanted).toEqual({ id: 'm120' });
    expect(messages.log).toHaveLength(200);
    await messages.loadPins();
    expect(ids(messages.pins)).toBe('m0');
    expect((await messages.everything()).length).toBe(250);
  });
});

describe('what one says', () => {
  it('is there once, goes to nobody’s unread, and forgets the draft', async () => {
    await enter();
    messages.write('  hello ');
    expect(sessionStorage.length).toBe(1);
    messages.replyTo = 'm1';
    messages.send();
    expect([messages.draft, messages.replyTo, sessionStorage.length]).toEqual(['', null, 0]);
    await vi.advanceTimersByTimeAsync(10);
    expect(peer.said.map(({ data, keep }) => [data, keep])).toEqual([[{ text: 'hello', replyTo: 'm1' }, true]]);
    expect(messages.pending).toEqual([]);
    expect(messages.log).toHaveLength(1);
    messages.hear(peer.log[0] as Message);
    expect(messages.log).toHaveLength(1);
    expect(messages.unread).toEqual([]);
    messages.write(' \n ');
    messages.send();
    expect(peer.said).toHaveLength(1);
  });
});

describe('news', () => {
  it('concern whoever is called or answered', async () => {
    await enter();
    const own = peer.say('own', 1, 'u_me', 'mine');
    messages.hear(own);
    messages.hear(peer.say('a', 2, 'u_a', 'nothing'));
    messages.hear(peer.say('b', 3, 'u_a', 'hi @quiet otter'));
    const answer = { ...peer.say('c', 4), data: { text: 'yes', replyTo: 'own' } };
    messages.hear(answer);
    flushSync();
    expect(messages.unread.map((message) => messages.concernsMe(message))).toEqual([false, true, true]);
    expect(messages.mentions).toBe(2);
    expect(messages.concernsMe(own)).toBe(false);
  });

  it('are read out a few at a time while the panel is open', async () => {
    await enter();
    const said: string[] = [];
    const say = vi.spyOn(notes, 'say').mockImplementation((text) => void said.push(text));
    messages.hear(peer.say('a', 1, 'u_a', 'closed'));
    messages.setOpen(true);
    messages.hear(peer.say('b', 2, 'u_a', 'open'));
    await vi.advanceTimersByTimeAsync(500);
    expect(said).toEqual(['Calm Heron: open']);
    for (let i = 0; i < 9; i++) messages.hear(peer.say(`m${i}`, 10 + i));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(said).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(said).toEqual(['Calm Heron: open', '9 messages from Calm Heron']);
    say.mockRestore();
  });

  it('are notified of only while one looks elsewhere, and as one wants', async () => {
    await enter();
    const hear = async (id: string, text: string) => {
      messages.hear(peer.say(id, peer.log.length + 1, 'u_a', text));
      await vi.advanceTimersByTimeAsync(1_000);
    };
    messages.look(false);
    await hear('a', 'not wanted');
    setNotifyOf('mentions');
    await hear('b', 'not for me');
    await hear('c', 'for me, @Quiet Otter');
    expect(notices.map(({ title, body }) => [title, body])).toEqual([['Calm Heron', 'for me, @Quiet Otter']]);
    setNotifyOf('all');
    messages.hear(peer.say('d', 90));
    messages.hear(peer.say('e', 91));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(notices[1]?.title).toBe('2 messages from Calm Heron');
    messages.look(true);
    await hear('f', 'seen');
    expect(notices).toHaveLength(2);
    messages.hear({ ...peer.say('own', 99, 'u_me'), data: { text: 'own' } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(notices).toHaveLength(2);
  });
});
