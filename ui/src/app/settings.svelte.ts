/**
 * What this window remembers of its person's wishes, on this computer alone. What others have to know of them is said in
 * the room; what they need not know never leaves the window. A browser that keeps nothing forgets them with the page.
 */
import { known, LANGUAGES, speak, type Language } from '../i18n';

/** What others are asked and not shown. */
export interface Privacy {
  /** Others may not follow this person. */
  readonly noFollow: boolean;
  /** The own cursor is not sent. */
  readonly noCursor: boolean;
}

interface Kept {
  language: Language | null;
  noFollow: boolean;
  noCursor: boolean;
  othersHidden: boolean;
  openLast: boolean;
  /** What the person calls this device. */
  device: string | null;
  /** The room that the window was in when it closed. */
  last: string | null;
}

const AS_NEW: Kept = {
  language: null,
  noFollow: false,
  noCursor: false,
  othersHidden: false,
  openLast: true,
  device: null,
  last: null,
};

type Store = Pick<Storage, 'getItem' | 'setItem'>;

export class Settings {
  #kept = $state.raw<Kept>(AS_NEW);
  #place: string | null = null;

  constructor(private readonly store: Store | null = ownStore()) {}

  /** Reads what was kept for this person. Whoever becomes somebody new takes their wishes along. */
  of(userId: string): void {
    const place = `parlor.settings.${userId}`;
    if (place === this.#place) return;
    const first = this.#place === null;
    this.#place = place;
    if (first) this.#kept = { ...AS_NEW, ...this.#read(place) };
    else this.#write();
  }

  get language(): Language | null {
    return this.#kept.language;
  }

  get privacy(): Privacy {
    return this.#kept;
  }

  /** Others' cursors are not drawn here. */
  get othersHidden(): boolean {
    return this.#kept.othersHidden;
  }

  get openLast(): boolean {
    return this.#kept.openLast;
  }

  get device(): string | null {
    return this.#kept.device;
  }

  get last(): string | null {
    return this.#kept.last;
  }

  set(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    this.#write();
  }

  /** Speaks what was chosen, else what the browser asks for. */
  speak(): Promise<void> {
    return speak(this.language ?? known(typeof navigator === 'undefined' ? [] : navigator.languages));
  }

  #read(place: string): Partial<Kept> {
    try {
      const read = JSON.parse(this.store?.getItem(place) ?? '{}') as Record<string, unknown>;
      const kept: Partial<Kept> = {};
      for (const key of ['noFollow', 'noCursor', 'othersHidden', 'openLast'] as const)
        if (typeof read[key] === 'boolean') kept[key] = read[key];
      for (const key of ['last', 'device'] as const) if (typeof read[key] === 'string') kept[key] = read[key];
      const language = LANGUAGES.find(([one]) => one === read['language'])?.[0];
      if (language !== undefined) kept.language = language;
      return kept;
    } catch {
      return {}; // not readable: as new
    }
  }

  #write(): void {
    if (this.#place === null) return;
    try {
      this.store?.setItem(this.#place, JSON.stringify(this.#kept));
    } catch {
      // full, or forbidden: it holds as long as the page
    }
  }
}

function ownStore(): Store | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null; // a browser that forbids it throws
  }
}
