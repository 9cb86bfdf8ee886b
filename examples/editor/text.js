/**
 * A Yjs document as messages of a room. Whoever comes, or was away, says what they have and is sent the rest; what is
 * written goes to everybody a moment later.
 */
import * as Y from 'yjs';

/** What is written within it goes together: a room takes sixteen passing messages a second. */
const TOGETHER_MS = 150;

const packed = (bytes) => btoa(String.fromCharCode(...bytes));
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export function shareText(doc, room, trouble) {
  let written = [];
  const say = (type, data) => room.publish({ type, data }).catch(trouble);
  const ask = () => say('text?', { have: packed(Y.encodeStateVector(doc)), from: doc.clientID });

  doc.on('update', (update, origin) => {
    if (origin === room) return;
    if (written.length === 0) {
      setTimeout(() => {
        void say('text', { update: packed(Y.mergeUpdates(written)) });
        written = [];
      }, TOGETHER_MS);
    }
    written.push(update);
  });

  room.on('message', ({ type, data }) => {
    if (type === 'text') Y.applyUpdate(doc, bytes(data.update), room);
    if (type !== 'text?' || data.from === doc.clientID) return;
    const missing = Y.encodeStateAsUpdate(doc, bytes(data.have));
    // Two bytes say that there is nothing.
    if (missing.length > 2) void say('text', { update: packed(missing) });
  });
  // At first, and after every break.
  room.on('snapshot', ask);
}
