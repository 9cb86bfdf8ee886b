import { expect, it, vi } from 'vitest';
import { notifierOf } from './notifier';

it('asks the desktop, and does what its last notice of a place says when that is clicked', async () => {
  const shown: string[] = [];
  let click: (tag: string) => void = () => {};
  const notifier = notifierOf({
    kind: 'desktop',
    notify: async ({ body }) => void shown.push(body),
    onNotice: (opened) => {
      click = opened;
      return () => {};
    },
  });
  expect(notifier.permission()).toBe('granted');
  const [first, second] = [vi.fn(), vi.fn()];
  notifier.show({ title: 'plan', body: 'one', tag: 'plan', opened: first });
  notifier.show({ title: 'plan', body: 'two', tag: 'plan', opened: second });
  expect(shown).toEqual(['one', 'two']);
  click('another');
  click('plan');
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledOnce();
});

it('says that there are no notices where the desktop shows none', async () => {
  const notifier = notifierOf({ kind: 'desktop', notify: () => Promise.reject(new Error('no bus')) });
  notifier.show({ title: '', body: '', tag: '', opened: () => {} });
  await vi.waitFor(() => expect(notifier.permission()).toBe('never'));
});

it('calls nobody back to people who are made up', () => {
  expect(notifierOf({ kind: 'sample' }).permission()).toBe('never');
});
