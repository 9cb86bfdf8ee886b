/**
 * How a message reaches somebody who does not look at the window. A page and the desktop window do it in different ways,
 * and the rest of the interface knows only this.
 */
import type { Backend } from 'parlor-client';

export interface Notice {
  readonly title: string;
  readonly body: string;
  /** A later one of the same place takes its place. */
  readonly tag: string;
  /** The person came by it. */
  opened(): void;
}

/** `ask`: nobody has been asked yet. `never`: there is no way to notify here. */
export type Permission = 'granted' | 'denied' | 'ask' | 'never';

export interface Notifier {
  permission(): Permission;
  /** Asks the person. Only in answer to what they just did, and never by itself. */
  ask(): Promise<Permission>;
  show(notice: Notice): void;
}

/** Nobody is called back to people who are made up. */
const SILENT: Notifier = { permission: () => 'never', ask: async () => 'never', show: () => {} };

export function notifierOf(backend: Pick<Backend, 'kind' | 'notify' | 'onNotice'>): Notifier {
  if (backend.kind === 'sample') return SILENT;
  return backend.notify === undefined ? new WebNotifier() : new DesktopNotifier(backend);
}

/** The desktop asks nobody: whether notices are shown is a matter between it and the person. */
class DesktopNotifier implements Notifier {
  /** What to do when the last notice of a place is clicked. */
  readonly #opened = new Map<string, () => void>();
  #listens = false;
  #broken = false;

  constructor(private readonly desktop: Pick<Backend, 'notify' | 'onNotice'>) {}

  permission(): Permission {
    return this.#broken ? 'never' : 'granted';
  }

  async ask(): Promise<Permission> {
    return this.permission();
  }

  show({ title, body, tag, opened }: Notice): void {
    if (!this.#listens) this.desktop.onNotice?.((clicked) => this.#opened.get(clicked)?.());
    this.#listens = true;
    this.#opened.set(tag, opened);
    // Where nothing shows notices, the settings say so from then on.
    void this.desktop.notify?.({ title, body, tag }).catch(() => (this.#broken = true));
  }
}

class WebNotifier implements Notifier {
  permission(): Permission {
    if (typeof Notification === 'undefined') return 'never';
    return Notification.permission === 'default' ? 'ask' : Notification.permission;
  }

  async ask(): Promise<Permission> {
    if (this.permission() === 'ask') await Notification.requestPermission().catch(() => {});
    return this.permission();
  }

  show({ title, body, tag, opened }: Notice): void {
    if (this.permission() !== 'granted') return;
    try {
      const shown = new Notification(title, { body, tag });
      shown.onclick = () => {
        window.focus();
        shown.close();
        opened();
      };
    } catch {
      // Some browsers have the word and not the thing.
    }
  }
}
