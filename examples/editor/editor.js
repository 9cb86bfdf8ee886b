/** A text that several write, with everybody's cursor in it. */
import { EditorState } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { createLive, RoomAwareness } from 'parlor-client';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import * as Y from 'yjs';

import { shareText } from './text.js';

const COLORS = ['#e5484d', '#0090ff', '#30a46c', '#f76b15', '#8e4ec6'];
const query = new URLSearchParams(location.search);
const id = `editor_${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
const name = query.get('name') ?? 'Somebody';
const color = COLORS[Math.floor(Math.random() * COLORS.length)];
const trouble = (cause) => (document.querySelector('#trouble').textContent = cause.message);

// The token is added on the way; see vite.config.js.
const live = createLive({ origin: location.origin, token: 'none', resolveActor: () => ({ id, name }) });
const room = live.room(query.get('room') ?? 'project_123');
document.querySelector('h1').textContent = room.id;
await room.join({ presence: { status: 'online', color } });

const doc = new Y.Doc();
const text = doc.getText('text');
const awareness = new RoomAwareness(doc, room);
awareness.setLocalStateField('user', { name, color, colorLight: `${color}33` });
shareText(doc, room, trouble);
room.on('failed', trouble);

new EditorView({
  parent: document.querySelector('#editor'),
  state: EditorState.create({
    extensions: [keymap.of(yUndoManagerKeymap), EditorView.lineWrapping, yCollab(text, awareness)],
  }),
});

const list = () => {
  const names = [...awareness.getStates().values()].map(({ user }) => user?.name).filter(Boolean);
  document.querySelector('#people').textContent = names.sort().join(', ');
};
awareness.on('change', list);
list();
addEventListener('pagehide', () => void room.leave());
