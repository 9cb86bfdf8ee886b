import { describe, expect, it } from 'vitest';
import { draw, newStroke, receiveInk, toValue, type Stroke } from './ink';
import { dragFrom, kindOf, PenHand, pressureOf, twiceNear } from './pointer-kind';
import { inkOf } from './seen';

describe('what points', () => {
  it('is a mouse when it is no finger and no pen', () => {
    expect(['mouse', 'pen', 'touch', ''].map((pointerType) => kindOf({ pointerType }))).toEqual([
      'mouse',
      'pen',
      'touch',
      'mouse',
    ]);
  });

  it('may be the less steady the softer it is', () => {
    expect(dragFrom('mouse')).toBeLessThan(dragFrom('pen'));
    expect(dragFrom('pen')).toBeLessThan(dragFrom('touch'));
    expect(twiceNear('touch')).toBeGreaterThan(dragFrom('touch'));
  });

  it('feels pressure only as a pen', () => {
    expect(pressureOf({ pointerType: 'mouse', pressure: 0.5 })).toBeNull();
    expect(pressureOf({ pointerType: 'touch', pressure: 0.9 })).toBeNull();
    expect(pressureOf({ pointerType: 'pen', pressure: 0 })).toBeNull();
    expect(pressureOf({ pointerType: 'pen', pressure: 0.25 })).toBe(0.25);
    expect(pressureOf({ pointerType: 'pen', pressure: 7 })).toBe(1);
  });
});

describe('a hand with a pen', () => {
  it('rests while the pen is down, and fingers move the view from the first stroke on', () => {
    const hand = new PenHand();
    expect([hand.rests, hand.fingersMove]).toEqual([false, false]);
    hand.pressed(false);
    expect([hand.rests, hand.fingersMove]).toEqual([true, false]);
    hand.lifted();
    hand.pressed(true);
    hand.lifted();
    expect([hand.rests, hand.fingersMove]).toEqual([false, true]);
  });
});

describe('ink under pressure', () => {
  const pressed = (...pressures: (number | null)[]) => {
    const stroke = newStroke(1, 'pen');
    pressures.forEach((pressure, i) => draw(stroke, { x: i * 10, y: 0 }, 0, pressure));
    return stroke;
  };
  const arrived = (ink: unknown) => {
    const strokes: Stroke[] = [];
    const value = inkOf({ ink });
    if (value !== null) receiveInk(strokes, value, 0);
    return strokes[0]?.points.map(({ pressure }) => pressure);
  };

  it('arrives in twentieths', () => {
    expect(arrived(toValue(pressed(0.1, 0.52, 1)))).toEqual([0.1, 0.5, 1]);
  });

  it('says nothing where nothing is felt', () => {
    const value = toValue(pressed(null, null));
    expect(value).not.toHaveProperty('w');
    expect(arrived(value)).toEqual([null, null]);
  });

  it('goes on with the points that are new', () => {
    const mine = newStroke(1, 'pen');
    const theirs: Stroke[] = [];
    for (let i = 0; i < 90; i++) {
      draw(mine, { x: i * 4, y: 0 }, i, (i % 20) / 20);
      const value = i % 20 === 19 ? inkOf({ ink: toValue(mine) }) : null;
      if (value !== null) receiveInk(theirs, value, i);
    }
    expect(theirs[0]?.points.map(({ pressure }) => pressure)).toEqual(
      mine.points.slice(0, 80).map(({ pressure }) => pressure),
    );
  });

  it('is a line of one width when what another says of it makes no sense', () => {
    const ink = { s: 1, n: 0, k: 'pen', p: [0, 0, 5, 5] };
    for (const w of [[1], [1, 2, 3], [1, 21], [-1, 1], [1, 'x'], 'hard', [NaN, 1], null])
      expect(arrived({ ...ink, w })).toEqual([null, null]);
    expect(arrived({ ...ink, w: [0, 20] })).toEqual([0, 1]);
  });
});
