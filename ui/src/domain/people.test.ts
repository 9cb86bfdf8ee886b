import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { en } from '../i18n/en';
import { typingLine } from '../i18n/typing-line';
import { activityOf } from './activity';
import { ComingsAndGoings, LEAVE_WAITS_MS } from './announcements';
import { chooseColour, colourFor, hueDistance, hueOf, isOfPalette, mustPickAgain, PALETTE } from './colour';
import { initialsOf } from './initials';
import { TYPING_EXPIRES_MS, TypingSignal } from './typing';

describe('typing line', () => {
  it.each([
    [[], ''],
    [['Ada'], 'Ada is typing…'],
    [['Ada', 'Bo'], 'Ada and Bo are typing…'],
    [['Ada', 'Bo', 'Cy'], 'Ada, Bo and Cy are typing…'],
    [['Ada', 'Bo', 'Cy', 'Di'], 'Several people are typing…'],
  ])('of %j', (names, line) => expect(typingLine(names, en)).toBe(line));
});

describe('TypingSignal', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  // G14
  it('is said on the first key and refreshed at most every two seconds', async () => {
    const said: [boolean, number][] = [];
    const start = Date.now();
    const signal = new TypingSignal(
      (typing) => said.push([typing, Date.now() - start]),
      () => Date.now(),
    );
    for (let i = 0; i < 50; i++) {
      signal.key();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(said).toEqual([
      [true, 0],
      [true, 2_000],
      [true, 4_000],
    ]);
    // One refresh may be lost, and nobody sees them stop.
    expect(TYPING_EXPIRES_MS).toBeGreaterThan(2 * 2_000);
  });

  it('is taken back after five seconds without a key, and on blur only once', async () => {
    const said: boolean[] = [];
    const signal = new TypingSignal(
      (typing) => said.push(typing),
      () => Date.now(),
    );
    signal.key();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(said).toEqual([true]);
    await vi.advanceTimersByTimeAsync(1);
    expect(said).toEqual([true, false]);
    signal.stop();
    expect(said).toEqual([true, false]);
    signal.key();
    signal.stop();
    expect(said).toEqual([true, false, true, false]);
  });
});

describe('colours', () => {
  it('keeps the saved one when it is free', () => {
    expect(chooseColour('#bc5806', ['#286fe3'])).toBe('#bc5806');
  });

  it('else takes the free one farthest in hue from all others', () => {
    const taken = ['#286fe3', '#bc5806'];
    const chosen = chooseColour('#286fe3', taken);
    const nearest = (colour: string) => Math.min(...taken.map((other) => hueDistance(hueOf(other), hueOf(colour))));
    const free = PALETTE.filter((colour) => !taken.includes(colour));
    expect(free).toContain(chosen);
    expect(nearest(chosen)).toBe(Math.max(...free.map(nearest)));
  });

  it('gives twelve people twelve colours, and the thirteenth one anyway', () => {
    const taken: string[] = [];
    for (let i = 0; i < 12; i++) taken.push(chooseColour(null, taken));
    expect(new Set(taken).size).toBe(12);
    expect(isOfPalette(chooseColour(null, taken))).toBe(true);
  });

  it('does not keep a saved one that is no colour of ours', () => {
    expect(isOfPalette(chooseColour('#ffffff', []))).toBe(true);
  });

  it('lets exactly one of two racers pick again: the greater id', () => {
    const a = { id: 'u_a', colour: '#286fe3', joinedAt: '2026-11-25T10:00:01.000Z' };
    const b = { id: 'u_b', colour: '#286fe3', joinedAt: '2026-11-25T10:00:00.000Z' };
    expect(mustPickAgain(a, [b])).toBe(false);
    expect(mustPickAgain(b, [a])).toBe(true);
    expect(mustPickAgain(b, [{ ...a, colour: '#bc5806' }])).toBe(false);
  });

  it('never makes one who was there long before pick again', () => {
    const early = { id: 'u_z', colour: '#286fe3', joinedAt: '2026-11-25T09:00:00.000Z' };
    const late = { id: 'u_a', colour: '#286fe3', joinedAt: '2026-11-25T10:00:00.000Z' };
    expect(mustPickAgain(early, [late])).toBe(false);
    expect(mustPickAgain(late, [early])).toBe(true);
  });

  it('has white text at 4.5:1 or more on each', () => {
    for (const colour of PALETTE) {
      const channel = (at: number) => {
        const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      };
      const light = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
      expect(1.05 / (light + 0.05)).toBeGreaterThan(4.5);
    }
  });

  it('gives somebody without a colour the same one everywhere', () => {
    expect(colourFor('u_abc')).toBe(colourFor('u_abc'));
    expect(isOfPalette(colourFor(''))).toBe(true);
  });
});

describe('initialsOf', () => {
  it.each([
    ['Quiet Otter', 'QO'],
    ['otter', 'O'],
    ['  ', '?'],
    ['Éva de la Tour', 'ÉT'],
    ['田中', '田'],
    ['👩‍🚀 Captain', '👩‍🚀C'],
  ])('of %j', (name, initials) => expect(initialsOf(name)).toBe(initials));
});

describe('activityOf', () => {
  const view = { x: 0, y: 0, w: 900, h: 600 };
  const viewport = (x: number, y: number) => ({ viewport: { x, y, w: 100, h: 100, zoom: 1 } });
  it('tells what matters most first', () => {
    expect(activityOf({ chat: 'hi', typing: true }, view)).toEqual({ kind: 'saying', text: 'hi' });
    expect(activityOf({ typing: true, tool: 'pen' }, view)).toEqual({ kind: 'typing' });
    expect(activityOf({ tool: 'pen' }, view)).toEqual({ kind: 'drawing', tool: 'pen' });
    expect(activityOf({ selected: ['a', 'b'] }, view)).toEqual({ kind: 'selecting', notes: 2 });
    const editing = { note: 'a', from: 1, to: 1 };
    expect(activityOf({ editing, typing: true, tool: 'pen' }, view)).toEqual({ kind: 'writing', note: 'a', typing: true });
    expect(activityOf({}, view)).toEqual({ kind: 'nothing' });
  });

  it('tells where somebody looks', () => {
    expect(activityOf(viewport(0, 0), view)).toEqual({ kind: 'looking', where: 'topLeft', outside: false });
    expect(activityOf(viewport(400, 250), view)).toEqual({ kind: 'looking', where: 'here', outside: false });
    expect(activityOf(viewport(5_000, 250), view)).toEqual({ kind: 'looking', where: 'right', outside: true });
  });

  it('takes no nonsense', () => {
    expect(activityOf({ viewport: 'everywhere', typing: 'yes', tool: 7, selection: [] }, view)).toEqual({
      kind: 'nothing',
    });
  });
});

describe('comings and goings', () => {
  it('are told together, and a leave waits ten seconds', () => {
    const events = new ComingsAndGoings();
    events.joined('a', 'Ada', 0);
    events.joined('b', 'Bo', 1_000);
    events.left('c', 'Cy', 1_000);
    expect(events.take(3_000)).toEqual({ joined: ['Ada', 'Bo'], left: [] });
    expect(events.take(6_000)).toBeNull();
    expect(events.take(1_000 + LEAVE_WAITS_MS)).toEqual({ joined: [], left: ['Cy'] });
    expect(events.pending).toBe(false);
  });

  // F2
  it('say nothing of somebody who went away and came back', () => {
    const events = new ComingsAndGoings();
    for (let i = 0; i < 5; i++) {
      events.left('a', 'Ada', i * 1_000);
      events.joined('a', 'Ada', i * 1_000 + 500);
    }
    expect(events.take(60_000)).toBeNull();
  });
});
