/** What can be done about messages in a room, by key and by name. */
import type { Action } from '../app/actions.svelte';
import { t } from '../i18n';
import type { RoomSession } from '../room/session.svelte';

export function messageActions(session: RoomSession, toggle: () => void): readonly Action[] {
  const { messages } = session;
  const write = () => {
    messages.composing = true;
  };
  const actions: Action[] = [
    { id: 'write-message', group: 'room', words: t.messages.write, also: t.messages.title, keys: ['T'], run: write },
    { id: 'messages', group: 'room', words: t.messages.show, run: toggle },
  ];
  if (messages.unread.length > 0)
    actions.push({ id: 'read-messages', group: 'room', words: t.messages.markRead, run: () => messages.readAll() });
  return actions;
}
