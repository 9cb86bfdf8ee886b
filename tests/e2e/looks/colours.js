/**
 * Runs in the page: which controls cannot be made out where the system has the colours, and which do not show that the
 * keyboard is at them. Shadows and soft grounds are not drawn then; lines, words and icons are.
 */
(() => {
  const looks = (globalThis.looks ??= {});
  const ON = '[aria-pressed=true], [aria-selected=true], [aria-current=true], [aria-checked=true], input:checked';

  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

  /** A colour as the browser paints it: red, green, blue and how much of it there is. */
  function rgba(colour) {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  }

  const differs = (one, other) => {
    const [a, b] = [rgba(one), rgba(other)];
    return a[3] > 40 && [0, 1, 2].some((at) => Math.abs(a[at] - b[at]) > 60);
  };

  function groundOf(element) {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (rgba(backgroundColor)[3] > 200) return backgroundColor;
    }
    return 'Canvas';
  }

  const linesOf = (style) => [
    ...['Top', 'Right', 'Bottom', 'Left'].map((side) => [style[`border${side}Style`], style[`border${side}Width`], style[`border${side}Color`]]),
    [style.outlineStyle, style.outlineWidth, style.outlineColor],
  ];

  function hasLine(element, pseudo) {
    const style = getComputedStyle(element, pseudo);
    const ground = groundOf(element.parentElement);
    return linesOf(style).some(([kind, width, colour]) => kind !== 'none' && parseFloat(width) >= 1 && differs(colour, ground));
  }

  const hasGround = (element) => differs(getComputedStyle(element).backgroundColor, groundOf(element.parentElement));

  const isField = (element) => element.matches('textarea, input:not([type=radio], [type=checkbox])');

  function isDrawn(control) {
    const around = [control, control.parentElement, control.parentElement?.parentElement].filter(Boolean);
    if (isField(control)) return around.some((one) => hasLine(one) || hasGround(one));
    const label = control.closest('label');
    const whole = label ?? control;
    if (hasLine(control) || whole.textContent.trim() !== '') return true;
    if (hasGround(control)) return true;
    return [...whole.querySelectorAll('*')].some((one) => {
      if (!looks.shows(one)) return false;
      const style = getComputedStyle(one);
      // Drawn in the colour of words, which the system gives.
      if (one.closest('svg') !== null) return [style.stroke, style.fill].some((colour) => colour !== 'none');
      return differs(style.backgroundColor, groundOf(one.parentElement));
    });
  }

  /** That it is the chosen one: a line around it or its words, another ground, or a tick. */
  function isMarked(element) {
    const whole = element.closest('label') ?? element;
    return [whole, ...whole.querySelectorAll('*')].some((one) => {
      const { outlineStyle, outlineWidth, backgroundColor } = getComputedStyle(one);
      if (one.matches('svg.lucide-check, [data-testid=note-chosen]')) return true;
      return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || differs(backgroundColor, groundOf(whole.parentElement));
    });
  }

  looks.forced = () => {
    const controls = looks.controls();
    const on = [...looks.top().querySelectorAll(ON)].filter((one) => looks.isSeen(one));
    return [
      ...controls.filter((one) => looks.shows(one.closest('label') ?? one) && !isDrawn(one)).map((one) => `${looks.name(one)} is not drawn`),
      ...on.filter((one) => !isMarked(one)).map((one) => `${looks.name(one)} does not show that it is on`),
    ];
  };

  /** What the keyboard's place may be drawn with, on the control or on what holds it. */
  function drawnAt(control) {
    const places = [control, control.nextElementSibling, control.parentElement, control.parentElement?.parentElement];
    return places.filter(Boolean).flatMap((one) =>
      [null, '::after'].map((pseudo) => {
        const style = getComputedStyle(one, pseudo);
        if (pseudo !== null && style.content === 'none') return '';
        if (style.opacity === '0') return '';
        return linesOf(style)
          .map(([kind, width, colour]) => (kind === 'none' || parseFloat(width) < 1 || rgba(colour)[3] < 12 ? '' : `${width} ${colour}`))
          .join();
      }),
    );
  }

  /** The one line of a dialog keeps the keyboard as long as it is open: its caret says so. */
  const keepsIt = (control) => control.matches('[role=combobox]') && control.closest('dialog') !== null;

  looks.focus = () => {
    const before = document.activeElement;
    const unseen = [];
    for (const control of looks.controls()) {
      if (control.disabled || control.tabIndex < 0 || keepsIt(control)) continue;
      document.activeElement?.blur();
      const without = drawnAt(control);
      control.focus({ preventScroll: true });
      if (document.activeElement !== control) continue;
      const drawn = drawnAt(control).some((now, at) => now !== '' && now !== without[at]);
      if (!control.matches(':focus-visible') || !drawn) unseen.push(`${looks.name(control)} does not show the keyboard’s place`);
    }
    before?.focus?.({ preventScroll: true });
    return unseen;
  };
})();
