/**
 * Everything that is done by a key or found by its name. Parts of the window say what they offer while they are there; the
 * keys of the window, the palette and the sheet of shortcuts read the same list, so they never differ.
 */
import { createContext, untrack } from 'svelte';
import { matchKeyBindingPress, parseKeybinding } from 'tinykeys';
import { isBusyElsewhere, isWriting } from './keys';

export const GROUPS = ['people', 'board', 'room', 'window'] as const;
export type Group = (typeof GROUPS)[number];

export interface Action {
  readonly id: string;
  readonly group: Group;
  readonly words: string;
  /** Other words by which it is found. */
  readonly also?: string;
  /** As tinykeys writes them, `$mod+K`; the first is shown. */
  readonly keys?: readonly string[];
  /** How the keys are shown, where they are not just the first of `keys`. */
  readonly shown?: readonly string[];
  /** Also while somebody writes. */
  readonly always?: boolean;
  /** Where it stands; everywhere when missing. One for `keys` alone has a twin that is listed. */
  readonly only?: 'palette' | 'sheet' | 'keys';
  /** Has its turn after every other of its key. */
  readonly late?: boolean;
  /** In the palette only once somebody types: what there may be many of. */
  readonly deep?: boolean;
  /** It is what is chosen now. */
  readonly chosen?: boolean;
  /** Does it. `false` says that there was nothing to do, and the next action of that key has its turn. */
  run?(): unknown;
}

type Source = () => readonly Action[];

export class Actions {
  #sources = $state.raw<readonly Source[]>([]);
  /** All that can be done now; what was added last comes first in its group. */
  readonly list: readonly Action[] = $derived(this.#sources.flatMap((source) => source()));

  /** Offers what `source` says at any moment, until the returned function is called. */
  add(source: Source): () => void {
    this.#sources = [source, ...untrack(() => this.#sources)];
    return () => {
      this.#sources = this.#sources.filter((other) => other !== source);
    };
  }

  get inPalette(): readonly Action[] {
    return this.list.filter((action) => action.run !== undefined && (action.only ?? 'palette') === 'palette');
  }

  /** In a menu bar: as in the palette, with what the palette has no place for because it is itself. */
  get inMenu(): readonly Action[] {
    const listed = (action: Action) => (action.only ?? 'palette') === 'palette' || action.always === true;
    return this.list.filter((action) => action.run !== undefined && action.deep !== true && listed(action));
  }

  get onSheet(): readonly Action[] {
    return this.list.filter((action) => keysOf(action).length > 0 && (action.only ?? 'sheet') === 'sheet');
  }

  /** Does what was chosen elsewhere by its id, such as in a menu bar; nothing while something waits for an answer. */
  choose(id: string): void {
    if (isBusyElsewhere()) return;
    this.list.find((action) => action.id === id)?.run?.();
  }

  /** Runs what a key is for, if anything. */
  key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || isBusyElsewhere()) return;
    const writing = isWriting(event.target);
    const inTurn = [...this.list].sort((a, b) => Number(a.late ?? false) - Number(b.late ?? false));
    for (const action of inTurn) {
      if (action.run === undefined || (writing && action.always !== true)) continue;
      if (!(action.keys ?? []).some((keys) => isPress(event, keys)) || action.run() === false) continue;
      event.preventDefault();
      return;
    }
  }
}

/** The actions of the window that a component is in. */
export const [useActions, provideActions] = createContext<Actions>();

/** The keys of an action, one cap each, as names that the catalogue may translate. */
export function keysOf({ keys, shown }: Action): readonly string[] {
  if (shown !== undefined) return shown;
  const first = keys?.[0] === undefined ? undefined : parseKeybinding(keys[0])[0];
  if (first === undefined) return [];
  const [mods, key] = first;
  const name = String(key).replace(/^(Digit|Key)/, '');
  return [...mods, name.length === 1 ? name.toLocaleUpperCase() : name];
}

function isPress(event: KeyboardEvent, keys: string): boolean {
  const [press] = parseKeybinding(keys);
  return press !== undefined && matchKeyBindingPress(event, press);
}
