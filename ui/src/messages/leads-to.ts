/**
 * The one place where an address of somebody's making becomes something to click. It was found by `linkAt`, so it is
 * `http` or `https` and plain ASCII; it opens beside this page and learns nothing of it. The desktop window opens no page
 * of its own, and must never become one: there the system is asked to open it in the browser.
 */
import type { Attachment } from 'svelte/attachments';
import type { Backend } from 'parlor-client';
import type { Notes } from '../app/notes.svelte';
import { copyText } from '../controls/clipboard';
import type { Link } from '../domain/links';
import { t } from '../i18n';

export function leadsTo({ address }: Link): Attachment<HTMLAnchorElement> {
  return (anchor) => {
    if (!/^https?:\/\//.test(address)) return;
    anchor.href = address;
    anchor.target = '_blank';
    anchor.rel = 'noopener noreferrer nofollow';
    anchor.referrerPolicy = 'no-referrer';
  };
}

/** Opens it outside this window or, where nothing opens links, lets the person take it along. */
export async function leave({ address, host }: Link, backend: Pick<Backend, 'openLink'>, notes: Notes): Promise<void> {
  try {
    if (backend.openLink !== undefined) return await backend.openLink(address);
  } catch {
    // The next best thing is to have it.
  }
  notes.show((await copyText(address)) ? t.messages.linkCopied(host) : t.messages.linkShown(address));
}
