/** What the peer knows of itself, on its way to somebody who looks for a fault. */
import { copyText } from '../controls/clipboard';
import { t } from '../i18n';
import type { App } from './app.svelte';

/** Copies it as JSON that a person can read before they pass it on, and says so. */
export async function copyDiagnostics(app: Pick<App, 'backend' | 'notes'>): Promise<void> {
  const diagnostics = await app.backend.diagnostics();
  const copied = await copyText(`${JSON.stringify(diagnostics, null, 2)}\n`);
  app.notes.show(copied ? t.actions.diagnosticsCopied : t.board.notCopied);
}
