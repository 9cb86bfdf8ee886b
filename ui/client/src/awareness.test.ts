// @vitest-environment happy-dom
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { yCollab } from 'y-codemirror.next';
import * as Y from 'yjs';
import { type AwarenessChange, RoomAwareness } from './awareness';
import type { Room, RoomEvents } from './room';
import type { Member } from './generated/Member';

type Told = (...told: unknown[]) => void;

/** A room of several people in this process, which tells each of them what a peer would. */
class Gathering {
  readonly rows = new Map<string, Member>();
  readonly listeners: [keyof RoomEvents, Told][] = [];
  requests = 0;
  /** Whether anybody is told anything. */
  reachable = true;

  room(memberId: string): Pick<Room, 'on' | 'presence'> {
    return {
      presence: async ({ presence = {}, unset = [] }) => {
        this.requests += 1;
        await Promise.resolve();
        const row = this.rows.get(memberId);
        if (row === undefined || !this.reachable) throw new Error('nobody is there');
        const after: Record<string, unknown> = { ...row.presence, ...(JSON.parse(JSON.stringify(presence)) as object) };
        for (const key of unset) delete after[key];
        const member = { ...row, presence: after };
        this.rows.set(memberId, member);
        this.tell('updated', member, [...Object.keys(presence), ...unset]);
        return member;
      },
      on: (name, listener) => {
        const entry: [keyof RoomEvents, Told] = [name, listener as Told];
        this.listeners.push(entry);
        if (name === 'snapshot') entry[1]([...this.rows.values()], {});
        return () => void this.listeners.splice(this.listeners.indexOf(entry), 1);
      },
    };
  }

  tell(name: keyof RoomEvents, ...told: unknown[]): void {
    for (const [, listener] of this.listeners.filter(([known]) => known === name)) listener(...told);
  }

  join(memberId: string, name: string, presence: Record<string, unknown> = {}): void {
    const at = '2026-11-28T10:00:00.000Z';
    const member: Member = {
      ...{ room: 'r', kind: 'room', memberId, joinedAt: at, lastSeenAt: at, metadata: {}, presence },
      actor: { kind: 'user', userId: `u_${memberId}`, name },
      ...{ state: 'active', self: false, verified: true, conflict: false },
    };
    this.rows.set(memberId, member);
    this.tell('joined', member);
  }

  leave(memberId: string): void {
    const row = this.rows.get(memberId);
    this.rows.delete(memberId);
    this.tell('left', row, 'left');
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the awareness of a room', () => {
  it('shows everybody by a number, and those without an editor by their name', async () => {
    const gathering = new Gathering();
    gathering.join('a', 'Quiet Otter');
    gathering.join('b', 'Merry Wren');
    gathering.join('c', 'Calm Heron', { name: 'Heron', color: '#286fe3' });
    const one = new RoomAwareness({ clientID: 1 }, gathering.room('a'));
    const other = new RoomAwareness({ clientID: 2 }, gathering.room('b'));
    other.setLocalStateField('cursor', { anchor: 5 });
    await settled();
    expect(one.getStates().get(2)).toEqual({ cursor: { anchor: 5 }, user: { name: 'Merry Wren' } });
    expect(one.getLocalState()).toEqual({});
    const rest = [...one.getStates()].filter(([client]) => client > 2);
    expect(rest.map(([, state]) => state)).toEqual([{ user: { name: 'Heron', color: '#286fe3' } }]);
    expect([...other.getStates().keys()].filter((client) => client > 2)).toEqual(rest.map(([client]) => client));
  });

  it('tells what is new, changed and gone, and nothing twice', async () => {
    const gathering = new Gathering();
    gathering.join('a', 'Quiet Otter');
    gathering.join('b', 'Merry Wren');
    const one = new RoomAwareness({ clientID: 1 }, gathering.room('a'));
    await settled();
    const changes: [AwarenessChange, unknown][] = [];
    one.on('change', (change, origin) => changes.push([change, origin]));
    const other = new RoomAwareness({ clientID: 2 }, gathering.room('b'));
    await settled();
    // Merry Wren was known by name, and now has an editor.
    expect(changes.map(([{ added, removed }]) => [added, removed.length])).toEqual([[[2], 1]]);
    changes.length = 0;
    other.setLocalStateField('cursor', 1);
    await settled();
    other.setLocalStateField('cursor', 1);
    await settled();
    expect(changes).toEqual([[{ added: [], updated: [2], removed: [] }, one]]);
    changes.length = 0;
    one.setLocalStateField('user', { name: 'Otter' });
    expect(changes).toEqual([[{ added: [], updated: [1], removed: [] }, 'local']]);
    changes.length = 0;
    gathering.leave('b');
    expect(changes).toEqual([[{ added: [], updated: [], removed: [2] }, one]]);
    expect([one.meta.has(1), one.meta.has(2)]).toEqual([true, false]);
  });

  it('sends the newest alone, and again after the way was broken', async () => {
    const gathering = new Gathering();
    gathering.join('a', 'Quiet Otter');
    const one = new RoomAwareness({ clientID: 1 }, gathering.room('a'));
    await settled();
    gathering.requests = 0;
    for (let cursor = 0; cursor < 100; cursor++) one.setLocalStateField('cursor', cursor);
    await settled();
    expect(gathering.requests).toBe(2);
    expect(gathering.rows.get('a')?.presence['yjs']).toEqual({ client: 1, state: { cursor: 99 } });
    gathering.reachable = false;
    one.setLocalStateField('cursor', 100);
    await settled();
    gathering.reachable = true;
    gathering.tell('snapshot', [...gathering.rows.values()], {});
    await settled();
    expect(gathering.rows.get('a')?.presence['yjs']).toEqual({ client: 1, state: { cursor: 100 } });
  });

  it('goes, and its member stays', async () => {
    const gathering = new Gathering();
    gathering.join('a', 'Quiet Otter', { status: 'online' });
    const one = new RoomAwareness({ clientID: 1 }, gathering.room('a'));
    await settled();
    const destroyed = vi.fn();
    one.once('destroy', destroyed);
    one.destroy();
    await settled();
    expect(gathering.rows.get('a')?.presence).toEqual({ status: 'online' });
    expect([gathering.listeners.length, one.getLocalState(), destroyed.mock.calls.length]).toEqual([0, null, 1]);
  });
});

describe('y-codemirror.next', () => {
  const views: EditorView[] = [];
  afterEach(() => views.splice(0).forEach((view) => view.destroy()));

  /** An editor of a person, as its manual sets one up. */
  function editor(gathering: Gathering, memberId: string, doc: Y.Doc) {
    const awareness = new RoomAwareness(doc, gathering.room(memberId));
    const text = doc.getText('codemirror');
    const parent = document.body.appendChild(document.createElement('div'));
    const extensions = [yCollab(text, awareness)];
    const view = new EditorView({ state: EditorState.create({ doc: text.toString(), extensions }), parent });
    views.push(view);
    return { view, awareness };
  }

  it('shows the cursors of the people of a room, and sends one’s own', async () => {
    const gathering = new Gathering();
    gathering.join('a', 'Quiet Otter', { color: '#286fe3' });
    gathering.join('b', 'Merry Wren', { color: '#0d8367' });
    gathering.join('c', 'Calm Heron');
    const [here, there] = [new Y.Doc(), new Y.Doc()];
    here.on('update', (update: Uint8Array) => Y.applyUpdate(there, update));
    here.getText('codemirror').insert(0, 'Call the provider');
    const one = editor(gathering, 'a', here);
    const other = editor(gathering, 'b', there);

    vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    vi.spyOn(other.view, 'hasFocus', 'get').mockReturnValue(true);
    other.view.dispatch({ selection: { anchor: 5, head: 8 } });
    await settled();
    expect(other.awareness.getLocalState()).toHaveProperty('cursor.anchor');

    const carets = one.view.dom.querySelectorAll('.cm-ySelectionCaret');
    expect([...carets].map((caret) => caret.textContent?.replaceAll('\u2060', ''))).toEqual(['Merry Wren']);
    expect(one.view.dom.querySelector('.cm-ySelection')?.textContent).toBe('the');

    // Whoever leaves the room takes the cursor along.
    gathering.leave('b');
    expect(one.view.dom.querySelector('.cm-ySelectionCaret')).toBeNull();
  });
});
