/**
 * Runs in the page: what of it somebody cannot reach or read. Nothing moves sideways; each control can be scrolled into
 * the window and is not covered there; words stay in what they stand in, are not cut, and lie over nothing else.
 * `looks.layout()` answers with one sentence for each trouble.
 */
(() => {
  /** A pixel more is what rounding does. */
  const NEAR = 1.5;
  const TARGET = 24;
  const CONTROLS =
    'button, input, select, textarea, summary, a[href], [role=option], [role=menuitem], [tabindex]:not([tabindex="-1"])';
  /** Other people's doing on the board: it lies where they put it, and the view is moved to see it. */
  const ON_THE_BOARD = '[data-testid=note], [data-testid=cursor], [data-testid=selection], [data-testid=edge-chip], [data-testid=reaction]';
  /** What floats may lie over the page, and is put away to see what is under it; under a table's head rows are moved. */
  const FLOATING = `dialog, [popover], aside, [role=columnheader], ${ON_THE_BOARD}`;
  /** This as well, and it passes, or what is under it can be scrolled or written away from there. */
  const PASSING = '.notes, [role=listbox], [data-testid=message-actions], [data-testid=to-newest], [data-testid=unread-badge]';

  const looks = (globalThis.looks ??= {});

  /** The top layer that takes the pointer, or the page. */
  looks.top = () =>
    [...document.querySelectorAll('[popover]:popover-open')].at(-1) ??
    [...document.querySelectorAll('dialog:modal')].at(-1) ??
    document.body;

  looks.name = (element) => {
    const { testid, choice, action } = element.dataset;
    const words = element.getAttribute('aria-label') ?? element.getAttribute('placeholder') ?? element.textContent.trim();
    return `${element.localName}${testid ? `[${testid}]` : ''}${choice ?? action ?? ''} “${words.slice(0, 40)}”`;
  };

  const isForReaders = (element) => element.closest('.for-readers') !== null;

  looks.isSeen = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !isForReaders(element) && element.closest('[inert]') === null;

  /** What shows when the pointer or the keyboard comes to it has made room by then. */
  looks.shows = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  looks.controls = () =>
    [...looks.top().querySelectorAll(CONTROLS)].filter((one) => looks.isSeen(one) && one.closest(ON_THE_BOARD) === null);

  /** A box that is ticked by its words is as large as they are. */
  const targetOf = (control) => control.closest('label') ?? control;

  /** Where it is after whatever scrolls has brought it into view. What only a program can scroll is put back. */
  function bring(element) {
    const held = [];
    for (let at = element.parentElement; at !== null; at = at.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(at);
      const { scrollLeft, scrollTop } = at;
      held.push([at, /auto|scroll/.test(overflowX), /auto|scroll/.test(overflowY), scrollLeft, scrollTop]);
    }
    element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    for (const [at, x, y, left, top] of held) {
      if (!x) at.scrollLeft = left;
      if (!y) at.scrollTop = top;
    }
    return () => held.forEach(([at, , , left, top]) => at.scrollTo({ left, top, behavior: 'instant' }));
  }

  function isHit(control, x, y) {
    const hit = document.elementFromPoint(x, y);
    if (hit === null) return 'outside the window';
    const label = control.closest('label');
    if (control.contains(hit) || (label !== null && label.contains(hit)) || hit.closest(PASSING) !== null) return '';
    return `covered by ${looks.name(hit)}`;
  }

  function unreachable(control) {
    const back = bring(control);
    const { left, right, top, bottom, width, height } = control.getClientRects()[0] ?? control.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    const edge = Math.min(3, width / 4);
    // A field may be higher than the window, which then shows a part of it.
    const spots = [[x, y], [left + edge, y], [right - edge, y], ...(height < innerHeight / 2 ? [[x, top + edge], [x, bottom - edge]] : [])];
    const why = spots.map(([x, y]) => isHit(control, x, y)).find((why) => why !== '');
    back();
    return why === undefined ? '' : `${looks.name(control)} is ${why}`;
  }

  /** Every run of words with its boxes, by the element that has them. */
  function* texts() {
    const walker = document.createTreeWalker(looks.top(), NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() === '' || !looks.isSeen(element)) continue;
      if (element.closest(`${ON_THE_BOARD}, option, datalist, script, style`) !== null) continue;
      range.selectNodeContents(walker.currentNode);
      const boxes = [...range.getClientRects()].filter(({ width, height }) => width > 1 && height > 1);
      yield { element, words: walker.currentNode.data.trim().slice(0, 40), boxes };
    }
  }

  const cutsWithDots = (element) => {
    const { overflowX, textOverflow } = getComputedStyle(element);
    return overflowX !== 'visible' && textOverflow === 'ellipsis';
  };

  /** What somebody wrote may be long; it is there in full where it is edited, or as a tip. */
  const isToldElsewhere = (element) =>
    element.querySelector('bdi') !== null || element.closest('bdi, [title], [role=option]') !== null;

  /** The part of a box that is seen, and by which element it is cut sideways or for good. */
  function seenPart(element, box) {
    let { left, right, top, bottom } = box;
    let by = null;
    for (let at = element; at !== null && at !== document.documentElement; at = at.parentElement) {
      const style = getComputedStyle(at);
      const [x, y] = [style.overflowX, style.overflowY];
      if (x === 'visible' && y === 'visible') continue;
      const edge = at.getBoundingClientRect();
      const dots = cutsWithDots(at);
      if (/hidden|clip/.test(x) && !dots && (left < edge.left - NEAR || right > edge.right + NEAR)) by ??= at;
      if (/hidden|clip/.test(y) && !dots && (top < edge.top - 4 || bottom > edge.bottom + 4)) by ??= at;
      left = Math.max(left, edge.left);
      right = Math.min(right, edge.right);
      top = Math.max(top, edge.top);
      bottom = Math.min(bottom, edge.bottom);
      if (style.position === 'fixed' || at.matches('dialog, [popover]')) break;
    }
    return { left, right, top, bottom, by };
  }

  /** The board and the log take the keyboard, and everything else stands on them. */
  const isGround = (element) => element.matches('[role=application], [role=log]');

  const meet = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;

  function* sideways() {
    for (const element of [document.documentElement, document.body, ...looks.top().querySelectorAll('*')]) {
      const root = element === document.documentElement || element === document.body;
      if (!root && !/auto|scroll/.test(getComputedStyle(element).overflowX)) continue;
      if (element.matches('input, textarea, [data-testid=note-field]')) continue;
      // A table of many columns has two directions; whoever cannot see all of it moves it (WCAG 1.4.10).
      if (element.matches('[role=grid]')) continue;
      const over = element.scrollWidth - element.clientWidth;
      if (over > NEAR) yield `${root ? 'the page' : looks.name(element)} is ${over} pixels too wide`;
    }
  }

  function* inControls() {
    for (const control of looks.controls()) {
      if (isGround(control)) continue;
      const why = unreachable(control);
      if (why !== '') yield why;
      const { width, height } = targetOf(control).getBoundingClientRect();
      const inText = control.localName === 'a' && getComputedStyle(control).display === 'inline';
      if (!inText && !isForReaders(control) && (width < TARGET - 0.5 || height < TARGET - 0.5))
        yield `${looks.name(control)} is ${width.toFixed(0)} by ${height.toFixed(0)} pixels small`;
    }
  }

  function* inWords() {
    const seen = [];
    for (const { element, words, boxes } of texts()) {
      const dotted = element.closest('button, a, p, li, span, bdi, h1, h2, dd, dt, label, div');
      for (let at = dotted; at !== null && at !== looks.top(); at = at.parentElement)
        if (cutsWithDots(at) && at.scrollWidth > at.clientWidth + NEAR && !isToldElsewhere(at))
          yield `“${words}” ends in dots, and is told nowhere else`;
      const button = element.closest('button, [role=option], a[href]');
      for (const box of boxes) {
        const part = seenPart(element, box);
        if (part.by !== null) yield `“${words}” is cut by ${looks.name(part.by)}`;
        if (part.right <= part.left || part.bottom <= part.top) continue;
        if (part.left < -NEAR || part.right > innerWidth + NEAR) yield `“${words}” goes out of the window`;
        const around = button?.getBoundingClientRect();
        if (around && (part.left < around.left - NEAR || part.right > around.right + NEAR || part.top < around.top - 4 || part.bottom > around.bottom + 4))
          if (button.localName !== 'a') yield `“${words}” goes over the edge of ${looks.name(button)}`;
        seen.push({ element, words, part, floating: element.closest(`${FLOATING}, ${PASSING}`) });
      }
    }
    yield* overlaps(seen);
  }

  function* overlaps(words) {
    const controls = looks.controls().filter((one) => !isGround(one) && looks.shows(one)).map((element) => {
      const part = seenPart(element.parentElement, element.getBoundingClientRect());
      return { element, words: looks.name(element), part, floating: element.closest(`${FLOATING}, ${PASSING}`) };
    });
    for (const [at, one] of words.entries())
      for (const other of [...words.slice(at + 1), ...controls]) {
        if (one.floating !== other.floating || !meet(one.part, other.part)) continue;
        const label = one.element.closest('label');
        if (one.element.contains(other.element) || other.element.contains(one.element) || label?.contains(other.element)) continue;
        yield `“${one.words}” and ${other.words} lie over each other`;
      }
  }

  looks.layout = () => [...new Set([...sideways(), ...inControls(), ...inWords()])];
})();
