import { describe, expect, it } from 'vitest';
import { chatIn, pinsIn, PINS_MAX, reactionIn, withPin } from './message-types';

describe('chat', () => {
  it.each([
    [{ text: 'hello' }, { text: 'hello', replyTo: null }],
    [{ text: '', replyTo: 'm1', more: 1 }, { text: '', replyTo: 'm1' }],
    [{ text: 'a', replyTo: 7 }, { text: 'a', replyTo: null }],
    [{ text: 'a', replyTo: 'x'.repeat(200) }, { text: 'a', replyTo: null }],
    [{ text: 1 }, null],
    ['text', null],
    [null, null],
    [['text'], null],
  ])('%j', (data, chat) => expect(chatIn({ type: 'chat', data })).toEqual(chat));

  it('is nothing else', () => expect(chatIn({ type: 'deploy', data: { text: 'a' } })).toBeNull());
});

describe('reaction', () => {
  it.each(['👍', '❤️', '👨‍👩‍👧‍👦', '🇩🇪', '👋🏽'])('%s', (emoji) => {
    expect(reactionIn({ type: 'reaction', data: { emoji } })).toEqual({ emoji, message: null });
  });

  it.each(['a', '', '👍👍', '7', '👍 ', `😀${'\u0301'.repeat(90)}`, 7, null])('%j is none', (emoji) => {
    expect(reactionIn({ type: 'reaction', data: { emoji, message: 'm1' } })).toBeNull();
  });
});

describe('pins', () => {
  it('are a list of ids, each once, of at most twenty', () => {
    expect(pinsIn(['b', 'a', 'b', 7, '', null])).toEqual(['b', 'a']);
    expect(pinsIn('b')).toEqual([]);
    expect(pinsIn(undefined)).toEqual([]);
    const many = Array.from({ length: 30 }, (_, place) => `m${place}`);
    expect(pinsIn(many)).toHaveLength(PINS_MAX);
  });

  it('begin with the newest, and the oldest gives way', () => {
    expect(withPin(['b', 'a'], 'c', true)).toEqual(['c', 'b', 'a']);
    expect(withPin(['b', 'a'], 'a', true)).toEqual(['a', 'b']);
    expect(withPin(['b', 'a'], 'b', false)).toEqual(['a']);
    const full = Array.from({ length: PINS_MAX }, (_, place) => `m${place}`);
    expect(withPin(full, 'new', true)).toEqual(['new', ...full.slice(0, -1)]);
  });
});
