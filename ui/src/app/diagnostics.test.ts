// @vitest-environment happy-dom
import { fakeBackend } from 'parlor-client/fake';
import { afterEach, expect, it, vi } from 'vitest';
import { t } from '../i18n';
import { copyDiagnostics } from './diagnostics';
import { Notes } from './notes.svelte';

afterEach(() => vi.unstubAllGlobals());

function clipboard(writeText: (text: string) => Promise<void>) {
  vi.stubGlobal('navigator', { clipboard: { writeText } });
}

it('copies what the peer says of itself as JSON to read, and says so', async () => {
  const [backend, notes, written] = [fakeBackend(), new Notes(), vi.fn(async (_: string) => {})];
  clipboard(written);
  await copyDiagnostics({ backend, notes });
  const text = written.mock.calls[0]?.[0] ?? '';
  expect(JSON.parse(text)).toEqual(await backend.diagnostics());
  expect(text).toContain('\n  "version"');
  expect(notes.shown.map((note) => note.text)).toEqual([t.actions.diagnosticsCopied]);
});

it('says that it could not be copied', async () => {
  const notes = new Notes();
  clipboard(() => Promise.reject(new Error('not allowed')));
  document.execCommand = () => false;
  await copyDiagnostics({ backend: fakeBackend(), notes });
  expect(notes.shown.map((note) => note.text)).toEqual([t.board.notCopied]);
});
