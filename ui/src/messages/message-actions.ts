/** What can be done about messages in a room, by key and by name. */
import type { Action } from '../app/actions.svelte';
import { sentenceOf } from '../app/app.svelte';
import { REACTION } from '../domain/message-types';
import { t } from '../i18n';
import type { RoomSession } from '../room/session.svelte';
import { REACTIONS } from './passing-reactions.svelte';

/** Sends an emoji that passes: to a message, or to where this person points. */
export async function react(session: RoomSession, emoji: string, message?: string): Promise<void> {
  try {
    await session.tell(REACTION, message === undefined ? { emoji } : { emoji, message });
  } catch (cause) {
    session.messages.notes.show(sentenceOf(cause));
  }
}

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
  for (const emoji of REACTIONS)
    actions.push({ id: `react-${emoji}`, group: 'board', words: t.messages.reactWith(emoji), only: 'palette', run: () => void react(session, emoji) });
  return actions;
}
