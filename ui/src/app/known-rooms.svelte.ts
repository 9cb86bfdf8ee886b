/** Rooms near and of late, for the palette: read when it opens, not kept up to date behind it. */
import type { RoomSummary } from 'parlor-client';
import { lineOf } from '../domain/line';
import { t } from '../i18n';
import type { Action } from './actions.svelte';
import type { App } from './app.svelte';

const MOST = 20;

export class KnownRooms {
  #rooms = $state.raw<readonly RoomSummary[]>([]);

  constructor(private readonly app: App) {}

  async look(): Promise<void> {
    // Without them the palette does all the rest.
    const rooms = await this.app.backend.rooms().catch(() => []);
    const latest = (room: RoomSummary) => (room.near ? '~' : (room.lastOpenedAt ?? ''));
    this.#rooms = [...rooms].sort((a, b) => latest(b).localeCompare(latest(a))).slice(0, MOST);
  }

  actions(): Action[] {
    const here = this.app.session?.room;
    return this.#rooms
      .filter(({ room }) => room !== here)
      .map(({ room, title }) => {
        const name = lineOf(title, 60) ?? lineOf(room, 60) ?? t.room.untitled;
        const action: Action = {
          id: `room-${room}`,
          group: 'window',
          words: t.actions.openRoom(name),
          run: () => void this.app.enter(room),
        };
        const id = lineOf(room, 60);
        return id === null || id === name ? action : { ...action, also: id };
      });
  }
}
