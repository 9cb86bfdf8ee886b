/** The list of rooms on the home screen: read at once and then every two seconds while the window is seen. */
import type { Backend, RoomSummary } from 'parlor-client';

const EVERY_MS = 2_000;

export class RoomList {
  /** Null until the first answer. */
  rooms = $state.raw<readonly RoomSummary[] | null>(null);
  failed = $state(false);
  #timer: ReturnType<typeof setInterval> | undefined;
  #asking = false;

  constructor(private readonly backend: Backend) {}

  get near(): readonly RoomSummary[] {
    return (this.rooms ?? []).filter((room) => room.near || room.joined || room.members > 0).sort(byPeople);
  }

  get recent(): readonly RoomSummary[] {
    const near = new Set(this.near);
    return (this.rooms ?? [])
      .filter((room) => !near.has(room))
      .sort((a, b) => (b.lastOpenedAt ?? '').localeCompare(a.lastOpenedAt ?? ''));
  }

  watch(): () => void {
    void this.refresh();
    this.#timer = setInterval(() => void (!document.hidden && this.refresh()), EVERY_MS);
    return () => clearInterval(this.#timer);
  }

  async refresh(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.rooms = await this.backend.rooms();
      this.failed = false;
    } catch {
      this.failed = true;
    } finally {
      this.#asking = false;
    }
  }

  async forget(room: string): Promise<void> {
    await this.backend.forgetRoom(room);
    await this.refresh();
  }
}

/** Full rooms first; the name settles the rest, so that the list stands still. */
const byPeople = (a: RoomSummary, b: RoomSummary): number =>
  Number(b.members > 0) - Number(a.members > 0) || (a.room < b.room ? -1 : 1);
