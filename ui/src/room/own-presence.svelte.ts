/** What this window's person says about themselves beyond where they point: tool, status, role, and what they keep to themselves. */
import type { Privacy } from '../app/settings.svelte';
import { deviceToSay, type Device } from '../domain/device';
import type { Tool } from '../domain/seen';

export class OwnPresence {
  tool = $state<Tool>('select');
  #status = 'online';
  #role: string | undefined;
  #away = false;
  /** What this person is here with; nothing in a sample. */
  device: Device | null = null;
  #privacy: Privacy = { noFollow: false, noCursor: false };

  /** `say` tells others at once; before there is anybody to tell, a join carries all of it. */
  constructor(private readonly say: (presence: Record<string, unknown>) => void) {}

  /** As a join says it. */
  get presence(): Record<string, unknown> {
    return {
      status: this.#away ? 'away' : this.#status,
      tool: this.tool,
      ...(this.#privacy.noFollow ? { private: wishesOf(this.#privacy) } : {}),
      ...(this.#role === undefined ? {} : { role: this.#role }),
    };
  }

  /** What does not change while one is in the room, beside what a program of this person `said` of it; null for nothing. */
  metadata(said: Readonly<Record<string, unknown>> = {}): Record<string, unknown> | null {
    return this.device === null ? null : { ...said, device: deviceToSay(this.device) };
  }

  setTool(tool: Tool): void {
    if (tool === this.tool) return;
    this.tool = tool;
    this.say({ tool });
  }

  /** A text of the person, or nothing, which is `online`. */
  setStatus(text: string): void {
    this.#status = text.trim() === '' ? 'online' : text.trim();
    this.say({ status: this.#away ? 'away' : this.#status });
  }

  setRole(text: string): void {
    this.#role = text.trim() === '' ? undefined : text.trim();
    this.say({ role: this.#role });
  }

  /** Away takes the cursor off everybody's board; coming back brings the own status back. False when it was so before. */
  setAway(away: boolean): boolean {
    if (away === this.#away) return false;
    this.#away = away;
    this.say(away ? { status: 'away', cursor: null } : { status: this.#status });
    return true;
  }

  /** What others are asked and not shown; they are told at once. */
  setPrivacy(privacy: Privacy): void {
    const before = this.#privacy;
    this.#privacy = { ...privacy };
    if (before.noFollow !== privacy.noFollow) this.say({ private: wishesOf(privacy) });
    if (privacy.noCursor && !before.noCursor) this.say({ cursor: null });
  }

  /** Whether this person does not show where they point. */
  get hidesCursor(): boolean {
    return this.#privacy.noCursor;
  }
}

/** What presence says of it; nothing when there is nothing to say. */
const wishesOf = (privacy: Privacy): { follow: true } | undefined => (privacy.noFollow ? { follow: true } : undefined);
