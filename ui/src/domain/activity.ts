/** What somebody does now, in the words of the people list; also the board's twin for those who do not see it. */
import type { Rect } from './camera';
import { chatOf, editingOf, isTyping, selectedOf, selectionOf, toolOf, viewportOf } from './seen';

export type Where =
  'here' | 'topLeft' | 'top' | 'topRight' | 'left' | 'right' | 'bottomLeft' | 'bottom' | 'bottomRight';

export type Activity =
  | { readonly kind: 'typing' }
  | { readonly kind: 'saying'; readonly text: string }
  | { readonly kind: 'writing'; readonly note: string; readonly typing: boolean }
  | { readonly kind: 'selecting'; readonly notes: number }
  | { readonly kind: 'drawing'; readonly tool: 'pen' | 'laser' }
  | { readonly kind: 'looking'; readonly where: Where; readonly outside: boolean }
  | { readonly kind: 'nothing' };

/** `view` is what this window shows of the board; places are told relative to it. */
export function activityOf(presence: Readonly<Record<string, unknown>>, view: Rect | null): Activity {
  const chat = chatOf(presence);
  if (chat !== null) return { kind: 'saying', text: chat };
  const editing = editingOf(presence);
  if (editing !== null) return { kind: 'writing', note: editing.note, typing: isTyping(presence) };
  if (isTyping(presence)) return { kind: 'typing' };
  const tool = toolOf(presence);
  if (tool === 'pen' || tool === 'laser') return { kind: 'drawing', tool };
  const notes = selectedOf(presence).length;
  if (notes > 0 || selectionOf(presence) !== null) return { kind: 'selecting', notes };
  const theirs = viewportOf(presence);
  if (theirs === null || view === null || view.w <= 0 || view.h <= 0) return { kind: 'nothing' };
  const x = (theirs.x + theirs.w / 2 - view.x) / view.w;
  const y = (theirs.y + theirs.h / 2 - view.y) / view.h;
  return { kind: 'looking', where: placeOf(x, y), outside: x < 0 || x > 1 || y < 0 || y > 1 };
}

const ROWS: readonly (readonly Where[])[] = [
  ['topLeft', 'top', 'topRight'],
  ['left', 'here', 'right'],
  ['bottomLeft', 'bottom', 'bottomRight'],
];

function placeOf(x: number, y: number): Where {
  const third = (at: number) => (at < 1 / 3 ? 0 : at <= 2 / 3 ? 1 : 2);
  return ROWS[third(y)]?.[third(x)] ?? 'here';
}
