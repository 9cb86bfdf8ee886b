import { ParlorError, type Message, type Publish } from 'parlor-client';
import { describe, expect, it, vi } from 'vitest';
import { whileAway } from './away';
import { bytesOf } from './bytes';
import { linkAt } from './links';
import { callingAt, callsMe, matching, mentionAt } from './mentions';
import { compareMessages, LOG_MAX, mergeMessages, shownFrom } from './message-log';
import { MessageOutbox, type Pending } from './message-outbox';
import { groupsOf, TOGETHER_MS } from './message-rows';
import { piecesOf, textOf } from './message-text';
import { logAsMarkdown } from './log-export';
import { forgetMarks, ReadMarks, type Store } from './read-marks';

const NOON = Date.parse('2026-11-25T12:00:00.000Z');
const said = (id: string, at = 0, by = 'u_a', text = id, more: Partial<Message> = {}): Message => ({
  id,
  type: 'chat',
  data: { text },
  actor: { kind: 'user', userId: by, name: by },
  memberId: by,
  publishedAt: new Date(NOON + at).toISOString(),
  kept: true,
  ...more,
});
const ids = (log: readonly Message[]) => log.map((message) => message.id).join(' ');

describe('the log', () => {
  it('is a union in the order of time and then of id, whatever comes first', () => {
    const all = [said('b', 5), said('a', 5), said('c', 1), said('d', 9), said('ä', 5), said('z', 5)];
    const forwards = all.reduce((log, message) => mergeMessages(log, [message]).log, [] as readonly Message[]);
    const backwards = all.toReversed().reduce((log, message) => mergeMessages(log, [message, message]).log, [] as readonly Message[]);
    expect(ids(forwards)).toBe('c a b z ä d');
    expect(ids(backwards)).toBe(ids(forwards));
    expect(ids(mergeMessages([], all).log)).toBe(ids(forwards));
  });

  it('is the same list when nothing is new, and takes nothing that is not kept', () => {
    const { log } = mergeMessages([], [said('a'), said('b', 1)]);
    const again = mergeMessages(log, [said('a'), said('x', 3, 'u_a', 'x', { kept: false })]);
    expect(again.log).toBe(log);
    expect(again.added).toEqual([]);
  });

  it('puts a late one into its place and says that it is new', () => {
    const { log } = mergeMessages([], [said('a', 0), said('c', 2)]);
    const late = mergeMessages(log, [said('b', 1)]);
    expect(ids(late.log)).toBe('a b c');
    expect(ids(late.added)).toBe('b');
  });

  it('is bounded, and lets the oldest go', () => {
    const many = Array.from({ length: LOG_MAX + 20 }, (_, place) => said(`m${place}`, place));
    const { log } = mergeMessages([], many);
    expect(log).toHaveLength(LOG_MAX);
    expect(log[0]?.id).toBe('m20');
  });

  it('shows no hole: what is older than the pages waits for its page', () => {
    const log = mergeMessages([], [said('old', -50), said('a', 0), said('b', 1)]).log;
    expect(ids(shownFrom(log, said('a', 0)))).toBe('a b');
    expect(shownFrom(log, null)).toBe(log);
    expect(ids(shownFrom(log, said('later', 9)))).toBe('');
  });

  it('has a place for what has no time', () => {
    expect(compareMessages(said('a', 0, 'u_a', 'a', { publishedAt: 'never' }), said('b'))).toBeLessThan(0);
  });
});

describe('groups', () => {
  const shape = (log: readonly Message[], fresh: string | null = null) =>
    groupsOf(log, fresh).map((group) => `${group.day === null ? '' : 'day '}${group.fresh ? 'new ' : ''}${ids(group.messages)}`);

  it('hold what one person says within five minutes', () => {
    expect(shape([said('a', 0), said('b', TOGETHER_MS - 1), said('c', 2 * TOGETHER_MS), said('d', 2 * TOGETHER_MS, 'u_b')])).toEqual([
      'day a b',
      'c',
      'd',
    ]);
  });

  it('are never long, and stay the same when more is said', () => {
    const log = Array.from({ length: 45 }, (_, place) => said(`m${place}`, place));
    const groups = groupsOf(log, null);
    expect(groups.map((group) => group.messages.length)).toEqual([20, 20, 5]);
    const more = groupsOf([...log, said('more', 99)], null);
    expect(more.map((group) => group.key)).toEqual(groups.map((group) => group.key));
  });

  it('end with the day, and where reading stopped', () => {
    const midnight = new Date(NOON).setHours(24, 0, 0, 0) - NOON;
    expect(shape([said('a', midnight - 1_000), said('b', midnight + 1_000)])).toEqual(['day a', 'day b']);
    expect(shape([said('a', 0), said('b', 1), said('c', 2)], 'b')).toEqual(['day a', 'new b c']);
  });

  it('keep a guest and a user of one id apart, and words from what tools say', () => {
    const guest = said('b', 1, 'u_a', 'b', { actor: { kind: 'guest', userId: 'u_a', name: 'x' } });
    expect(shape([said('a', 0), guest])).toEqual(['day a', 'b']);
    expect(shape([said('a', 0), said('b', 1, 'u_a', 'b', { type: 'deploy' })])).toEqual(['day a', 'b']);
  });
});

describe('links', () => {
  const found = (text: string, at = text.toLowerCase().indexOf('http')) => linkAt(text, at)?.address ?? null;

  it.each([
    ['https://harbour.example/status', 'https://harbour.example/status'],
    ['See https://a.example.', 'https://a.example/'],
    ['(https://a.example/b_(c))', 'https://a.example/b_(c)'],
    ['HTTP://A.example:8080/?q=1#x,', 'http://a.example:8080/?q=1#x'],
    ['https://müller.example/ü', 'https://xn--mller-kva.example/%C3%BC'],
    ['https://[::1]/a', 'https://[::1]/a'],
  ])('in %s', (text, address) => expect(found(text)).toBe(address));

  it.each([
    'javascript:alert(1)//https',
    'xhttps://a.example',
    'https://',
    'https://user:pass@evil.example/',
    'https://google.example@evil.example/',
    'https:// a.example',
    'data:text/html,https',
    `https://a.example/${'x'.repeat(3_000)}`,
  ])('none in %s', (text) => expect(found(text)).toBeNull());

  it('shows the host in letters that cannot be taken for others', () => {
    // The first letter is Cyrillic.
    const link = linkAt('https://аpple.example/login', 0);
    expect(link?.host).toBe('xn--pple-43d.example');
    expect(link?.address).toMatch(/^[\x21-\x7e]+$/);
    expect(linkAt('http://a.example/', 0)).toMatchObject({ before: 'http://', host: 'a.example', after: '' });
    expect(linkAt(`https://a.example/${'x'.repeat(100)}`, 0)?.after).toHaveLength(48);
  });

  it('ends where a character turns the line around', () => {
    expect(linkAt('https://a.example/\u202egnp.exe', 0)?.address).toBe('https://a.example/');
  });
});

describe('mentions', () => {
  const people = [
    { name: 'Quiet Otter', me: true },
    { name: 'Quiet', me: false },
    { name: 'Heron', me: false },
    { name: 'Jürgen', me: false },
  ];

  it('call the longest name that fits, and no part of a word', () => {
    expect(mentionAt('@Quiet Otter hi', 0, people)?.text).toBe('@Quiet Otter');
    expect(mentionAt('@quiet, hi', 0, people)?.person.name).toBe('Quiet');
    expect(mentionAt('@Herons', 0, people)).toBeNull();
    expect(mentionAt('a@Heron', 1, people)).toBeNull();
    expect(mentionAt('@JÜRGEN', 0, people)?.person.name).toBe('Jürgen');
    expect(mentionAt('Heron', 0, people)).toBeNull();
  });

  it('know who is called here', () => {
    expect(callsMe('well, @Heron and @quiet otter!', people)).toBe(true);
    expect(callsMe('@Quiet is not me, mail@Quiet Otter neither', people)).toBe(false);
    expect(callsMe('@Heron', [{ name: 'Heron', me: false }, { name: 'heron', me: true }])).toBe(true);
  });

  it('offer names while one is written', () => {
    expect(callingAt('hi @he', 6)).toEqual({ from: 3, letters: 'he' });
    expect(callingAt('hi @he', 2)).toBeNull();
    expect(callingAt('a@he', 4)).toBeNull();
    expect(callingAt('@ he', 4)).toBeNull();
    expect(callingAt('@a\nb', 4)).toBeNull();
    expect(callingAt('@', 1)).toEqual({ from: 0, letters: '' });
    expect(matching(people, 'h', 6).map((person) => person.name)).toEqual(['Heron']);
    expect(matching(people, '', 2).map((person) => person.name)).toEqual(['Quiet', 'Heron']);
    expect(matching([{ name: 'Brisk Heron', me: false }, { name: 'Heron', me: false }], 'her', 6)[0]?.name).toBe('Heron');
  });
});

describe('text', () => {
  it('keeps lines and loses what cannot be seen or turns them around', () => {
    expect(textOf('a\r\nb\u2028c')).toBe('a\nb\nc');
    expect(textOf('\u202eabc\u2066\u0000d')).toBe('abc d');
    expect(textOf('a\n\n\n\n\nb')).toBe('a\n\nb');
    expect(textOf('\u200b\u2060\ufeff \n')).toBe('');
    expect(textOf(`Z${'\u0301'.repeat(10_000)}`).length).toBeLessThan(8);
    expect(textOf('👨‍👩‍👧‍👦')).toBe('👨‍👩‍👧‍👦');
  });

  it('is cut into pieces that together are the text', () => {
    const text = textOf('@Heron look: https://a.example/x, and <b>@Quiet Otter</b>');
    const pieces = piecesOf(text, [{ name: 'Heron', me: false }, { name: 'Quiet Otter', me: true }]);
    expect(pieces.map((piece) => piece.kind)).toEqual(['mention', 'words', 'link', 'words', 'mention', 'words']);
    expect(pieces.filter((piece) => piece.kind === 'mention' && piece.me)).toHaveLength(1);
    const again = pieces.map((piece) => (piece.kind === 'link' ? text.slice(text.indexOf('http')).slice(0, piece.link.length) : piece.text));
    expect(again.join('')).toBe(text);
  });

  it('is counted in bytes', () => {
    expect(bytesOf('abc')).toBe(3);
    expect(bytesOf('ä€😀')).toBe(9);
  });
});

class Memory implements Store {
  readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
  key = (place: number) => [...this.kept.keys()][place] ?? null;
  get length() {
    return this.kept.size;
  }
}

describe('what was read', () => {
  const marks = (store: Store | null, now: number) => new ReadMarks(store, 'u_me', 'a/b', () => NOON + now);

  it('is history when one comes for the first time, and news from then on', () => {
    let now = 0;
    const fresh = new ReadMarks(new Memory(), 'u_me', 'r', () => NOON + now);
    expect(fresh.isNews(said('before', -1_000), 'u_me')).toBe(false);
    expect(fresh.isNews(said('after', 1_000), 'u_me')).toBe(true);
    // Long after one came, what was said before is news too: another part of the room has come back.
    now = 40_000;
    expect(fresh.isNews(said('late', -1_000), 'u_me')).toBe(true);
  });

  it('is remembered until the next visit, also of messages in the past', () => {
    const store = new Memory();
    const first = marks(store, 0);
    first.mark(['a', 'c']);
    first.save();
    const second = marks(store, 60_000);
    expect(second.leftAt).toBe(NOON);
    expect([said('a', 10), said('b', 20), said('c', 30)].filter((message) => second.isNews(message, 'u_me')).map((m) => m.id)).toEqual(['b']);
  });

  it('is never the own words, nor what tools say', () => {
    const store = marks(null, 0);
    expect(store.isNews(said('a', 10, 'u_me'), 'u_me')).toBe(false);
    expect(store.isNews(said('a', 10, 'u_a', 'a', { type: 'deploy' }), 'u_me')).toBe(false);
  });

  it('is put together from two pages of one browser', () => {
    const store = new Memory();
    const [one, two] = [marks(store, 0), marks(store, 0)];
    one.mark(['a']);
    one.save();
    two.mark(['b']);
    two.save();
    one.again();
    expect(one.isRead('b')).toBe(true);
    expect(marks(store, 1).isRead('a')).toBe(true);
  });

  it('stays within bounds, and goes with the room', () => {
    const store = new Memory();
    const many = marks(store, 0);
    many.mark(Array.from({ length: 5_000 }, (_, place) => `m${place}`));
    many.save();
    expect([...store.kept.values()].join('').length).toBeLessThan(9_000);
    store.setItem('other', '1');
    forgetMarks(store, 'a');
    expect(store.length).toBe(2);
    forgetMarks(store, 'a/b');
    expect([...store.kept.keys()]).toEqual(['other']);
  });

  it('does without a store, and with a damaged one', () => {
    const store = new Memory();
    for (const damaged of ['{', '7', '{"since":"x","read":""}', 'null']) {
      store.setItem('parlor-read:u_me/a/b', damaged);
      expect(marks(store, 0).leftAt).toBeNull();
    }
    const full: Store = { getItem: () => null, setItem: () => { throw new Error('full'); } };
    expect(() => marks(full, 0).save()).not.toThrow();
  });
});

describe('what is said', () => {
  function outbox(answer: (args: Publish) => Promise<Message>) {
    let pending: readonly Pending[] = [];
    const sent: Publish[] = [];
    const stored: Message[] = [];
    let key = 0;
    const box = new MessageOutbox({
      publish: (args) => {
        sent.push(args);
        return answer(args);
      },
      changed: (list) => (pending = list),
      sent: (message) => stored.push(message),
      now: () => NOON,
      newKey: () => `key${++key}`,
    });
    return { box, sent, stored, pending: () => pending.map((one) => `${one.text}${one.error === null ? '' : '!'}`) };
  }
  const gone = new ParlorError({ code: 'NETWORK_UNAVAILABLE', message: 'gone', recoverable: true });

  it('goes out in order, one after the other, each with a key of its own', async () => {
    const answers: ((message: Message) => void)[] = [];
    const { box, sent, pending, stored } = outbox(() => new Promise((resolve) => answers.push(resolve)));
    box.say('one', null);
    box.say('two', 'm1');
    expect(pending()).toEqual(['one', 'two']);
    expect(sent).toHaveLength(1);
    answers[0]?.(said('m2', 0, 'u_me', 'one'));
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    expect(pending()).toEqual(['two']);
    answers[1]?.(said('m3', 0, 'u_me', 'two'));
    await vi.waitFor(() => expect(pending()).toEqual([]));
    expect(sent.map(({ data, idempotencyKey, keep }) => [data, idempotencyKey, keep])).toEqual([
      [{ text: 'one' }, 'key1', true],
      [{ text: 'two', replyTo: 'm1' }, 'key2', true],
    ]);
    expect(ids(stored)).toBe('m2 m3');
  });

  it('is not taken for another’s of the same words before it was sent', async () => {
    const { box, pending } = outbox(() => new Promise(() => {}));
    box.say('first', null);
    box.say('ok', null);
    box.heard(said('m1', 1, 'u_me', 'ok'));
    expect(pending()).toEqual(['first', 'ok']);
  });

  it('stays when it failed, and is tried again under the same key', async () => {
    let works = false;
    const { box, sent, pending } = outbox(async ({ idempotencyKey }) => {
      if (!works) throw gone;
      return said(`m-${idempotencyKey}`, 0, 'u_me');
    });
    box.say('one', null);
    box.say('two', null);
    await vi.waitFor(() => expect(pending()).toEqual(['one!', 'two!']));
    works = true;
    box.tryAgain('key1');
    await vi.waitFor(() => expect(pending()).toEqual(['two!']));
    box.reachable();
    await vi.waitFor(() => expect(pending()).toEqual([]));
    expect(sent.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['key1', 'key2', 'key1', 'key2']);
  });

  it('is taken off when the room tells it before the answer, or instead of it', async () => {
    const { box, pending } = outbox(() => Promise.reject(gone));
    box.say('ok', null);
    box.say('ok', null);
    await vi.waitFor(() => expect(pending()).toEqual(['ok!', 'ok!']));
    box.heard(said('x', 0, 'u_me', 'other'));
    box.heard(said('x', -60_000, 'u_me', 'ok'));
    box.heard(said('x', 0, 'u_me', 'ok', { data: { text: 'ok', replyTo: 'm1' } }));
    expect(pending()).toEqual(['ok!', 'ok!']);
    box.heard(said('m1', 10, 'u_me', 'ok'));
    expect(pending()).toEqual(['ok!']);
  });

  it('waits for a person where trying again by itself is no use', async () => {
    const { box, pending, sent } = outbox(() => Promise.reject(new ParlorError({ code: 'FORBIDDEN', message: 'no', recoverable: false })));
    box.say('one', null);
    await vi.waitFor(() => expect(pending()).toEqual(['one!']));
    box.reachable();
    expect(sent).toHaveLength(1);
    expect(box.drop('key1')?.text).toBe('one');
    expect(pending()).toEqual([]);
    expect(box.drop('key1')).toBeNull();
  });
});

it('tells who spoke while one was away', () => {
  expect(whileAway([], NOON)).toBeNull();
  const away = whileAway([said('a', 1, 'u_b'), said('b', 2, 'u_c'), said('c', 3, 'u_b')], NOON);
  expect(away).toEqual({ ids: ['a', 'b', 'c'], writers: ['u_b', 'u_c'], since: NOON });
});

describe('the exported log', () => {
  const words = {
    title: 'Messages of # <Room>',
    made: 'Exported',
    day: () => 'Wednesday',
    clock: () => '12:00',
    nameOf: (message: Message) => message.actor.name,
    replyTo: (name: string) => `To ${name}`,
  };

  it('has days, names and answers, and is words wherever it is shown', () => {
    const log = [
      said('a', 0, 'u_a', '# no heading\n- no list\n1. no list either'),
      said('b', 1, 'u_*b*', '<img src=x onerror=alert(1)> ![x](http://evil.example/a) [x](javascript:1)', { data: { text: '<img src=x> ![x](y) https://a.example/b_c', replyTo: 'a' } }),
      said('c', 2, 'u_a', '', { type: 'de`ploy', data: {} }),
    ];
    expect(logAsMarkdown(log, words)).toBe(
      [
        '# Messages of \\# \\<Room\\>',
        '',
        'Exported',
        '',
        '## Wednesday',
        '',
        '**u\\_a** 12:00',
        '',
        '\\# no heading  ',
        '\\- no list  ',
        '1\\. no list either',
        '',
        '**u\\_\\*b\\*** 12:00',
        '',
        '> To u\\_a: \\# no heading - no list 1. no list either',
        '',
        '\\<img src\\=x\\> \\!\\[x\\]\\(y\\) <https://a.example/b_c>',
        '',
        '**u\\_a** 12:00',
        '',
        '`deploy`',
        '',
      ].join('\n'),
    );
  });
});
