// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { bringPlot } from './plot';

it('the chart is there also where the system has no language', async () => {
  Object.defineProperty(navigator, 'language', { value: 'C', configurable: true });
  expect(await bringPlot()).toBeTypeOf('function');
  expect(navigator.language).toBe('en');
});
