/**
 * Runs in the page from its beginning: whatever moves for longer than an eye needs to see it move, in `looks.moved`. For
 * those who asked for less motion that must stay empty.
 */
(() => {
  const looks = (globalThis.looks ??= {});
  const LONG_MS = 100;
  looks.moved = [];

  function heard({ target }) {
    for (const animation of document.getAnimations()) {
      const { effect } = animation;
      if (effect?.target !== target) continue;
      const { endTime } = effect.getComputedTiming();
      const what = animation.animationName ?? animation.transitionProperty ?? 'an animation';
      if (endTime > LONG_MS) looks.moved.push(`${what} of ${target.localName}.${target.className} runs for ${endTime} ms`);
    }
  }

  addEventListener('animationstart', heard, true);
  addEventListener('transitionrun', heard, true);

  const animate = Element.prototype.animate;
  Element.prototype.animate = function (frames, options) {
    const animation = animate.call(this, frames, options);
    const { endTime } = animation.effect.getComputedTiming();
    if (endTime > LONG_MS) looks.moved.push(`an animation of ${this.localName} runs for ${endTime} ms`);
    return animation;
  };

  for (const name of ['scrollTo', 'scrollBy', 'scrollIntoView']) {
    const scroll = Element.prototype[name];
    Element.prototype[name] = function (...given) {
      if (given[0]?.behavior === 'smooth') looks.moved.push(`${name} of ${this.localName} is smooth`);
      return scroll.apply(this, given);
    };
  }
})();
