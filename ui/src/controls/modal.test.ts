// @vitest-environment happy-dom
import { expect, it, vi } from 'vitest';
import { modal } from './modal';

it('tells of a dialog that the browser closes, and not of one that the page takes away', () => {
  const dialog = document.createElement('dialog');
  document.body.append(dialog);
  const closed = vi.fn();
  const gone = modal(closed)(dialog);
  expect(dialog.open).toBe(true);
  dialog.dispatchEvent(new Event('close'));
  expect(closed).toHaveBeenCalledTimes(1);
  gone?.();
  expect(dialog.open).toBe(false);
  dialog.remove();
  // Browsers say it when everything else is done.
  dialog.dispatchEvent(new Event('close'));
  expect(closed).toHaveBeenCalledTimes(1);
});
