// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Actions, keysOf, type Action } from './actions.svelte';

let actions: Actions;
const action = (id: string, more: Partial<Action> = {}): Action => ({
  id,
  group: 'board',
  words: id,
  run: vi.fn(),
  ...more,
});

const press = (key: string, more: KeyboardEventInit = {}, target: EventTarget = document.body) => {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  Object.defineProperty(event, 'target', { value: target });
  actions.key(event);
  return event.defaultPrevented;
};

beforeEach(() => (actions = new Actions()));
afterEach(() => document.body.replaceChildren());

describe('Actions', () => {
  it('run by their keys while they are there', () => {
    const zoom = action('zoom', { keys: ['+', 'Shift++'] });
    const end = actions.add(() => [zoom]);
    expect([press('+'), press('+', { shiftKey: true }), press('-')]).toEqual([true, true, false]);
    expect(zoom.run).toHaveBeenCalledTimes(2);
    end();
    expect(press('+')).toBe(false);
  });

  it('are chosen in a menu by their id, except while a sheet waits for an answer', () => {
    const [palette, person] = [action('palette', { only: 'sheet', always: true }), action('go', { deep: true })];
    const [pen, twin] = [action('pen'), action('close', { only: 'keys' })];
    actions.add(() => [palette, person, pen, twin]);
    expect(actions.inMenu).toEqual([palette, pen]);
    actions.choose('pen');
    actions.choose('nothing');
    const sheet = document.body.appendChild(document.createElement('dialog'));
    sheet.setAttribute('open', '');
    actions.choose('pen');
    expect(pen.run).toHaveBeenCalledTimes(1);
  });

  it('take a key by its place where letters differ', () => {
    const follow = action('follow', { keys: ['Alt+Digit1'] });
    actions.add(() => [follow]);
    expect(press('¡', { code: 'Digit1', altKey: true })).toBe(true);
    expect(press('1', { code: 'Digit1' })).toBe(false);
  });

  it('wait while somebody writes, but for those that never do, and while a sheet is open', () => {
    const pen = action('pen', { keys: ['p'] });
    const palette = action('palette', { keys: ['Control+k'], always: true });
    actions.add(() => [pen, palette]);
    const field = document.body.appendChild(document.createElement('input'));
    expect([press('p', {}, field), press('k', { ctrlKey: true }, field)]).toEqual([false, true]);
    const sheet = document.body.appendChild(document.createElement('dialog'));
    sheet.setAttribute('open', '');
    expect([press('p'), press('k', { ctrlKey: true })]).toEqual([false, false]);
  });

  it('have their turn one after the other, those that are late last', () => {
    const order: string[] = [];
    const turn = (id: string, more: Partial<Action>, done: boolean) =>
      action(id, { keys: ['Escape'], ...more, run: () => (order.push(id), done) });
    actions.add(() => [turn('selection', {}, false)]);
    actions.add(() => [turn('panel', { late: true }, true)]);
    press('Escape');
    expect(order).toEqual(['selection', 'panel']);
  });

  it('stand in the palette and on the sheet from one list, with the same keys', () => {
    actions.add(() => [
      action('both', { keys: ['Control+Shift+k'] }),
      action('no key'),
      action('sheet', { shown: ['Space'], only: 'sheet', run: undefined }),
      action('twin', { keys: ['Escape'], only: 'keys' }),
    ]);
    expect(actions.inPalette.map(({ id }) => id)).toEqual(['both', 'no key']);
    expect(actions.onSheet.map(({ id }) => id)).toEqual(['both', 'sheet']);
    expect(actions.list.map(keysOf)).toEqual([['Control', 'Shift', 'K'], [], ['Space'], ['Escape']]);
  });
});
