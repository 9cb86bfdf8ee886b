/**
 * What a mouse, a finger and a pen differ in: how steady they are, what they feel, and who has the word while two of them
 * are on the board.
 */
export type PointerKind = 'mouse' | 'pen' | 'touch';

export interface Pressed {
  readonly pointerType: string;
  readonly pressure: number;
}

/** A finger rests this long on something before it means more than a press. */
export const LONG_PRESS_MS = 500;

export const kindOf = ({ pointerType }: Pick<Pressed, 'pointerType'>): PointerKind =>
  pointerType === 'pen' || pointerType === 'touch' ? pointerType : 'mouse';

/** Screen pixels before a press is a drag: the tip of a finger rolls. */
export const dragFrom = (kind: PointerKind): number => ({ mouse: 4, pen: 6, touch: 10 })[kind];

/** Screen pixels between two presses that are one double press. */
export const twiceNear = (kind: PointerKind): number => ({ mouse: 8, pen: 12, touch: 28 })[kind];

/** How hard a pen presses, 0 to 1. A mouse feels nothing, and what a screen tells of fingers is their size at best. */
export const pressureOf = ({ pointerType, pressure }: Pressed): number | null =>
  pointerType === 'pen' && pressure > 0 ? Math.min(1, pressure) : null;

/**
 * Whose hand it is that draws. Whoever draws with a pen rests a hand on the glass and moves the view with the other, so
 * from a pen's first stroke on, fingers draw nothing, and while it is down they do nothing at all.
 */
export class PenHand {
  #down = false;
  #drawn = false;

  /** A pen is pressed; `draws` when what it begins is a stroke. */
  pressed(draws: boolean): void {
    this.#down = true;
    this.#drawn ||= draws;
  }

  lifted(): void {
    this.#down = false;
  }

  /** Whether a finger that comes down now is a resting hand. */
  get rests(): boolean {
    return this.#down;
  }

  /** Whether fingers move the view where they would have drawn. */
  get fingersMove(): boolean {
    return this.#drawn;
  }
}
