import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/**
 * The policy that the desktop window and `parlor serve --ui` set. The preview server sets it too, so that a page that
 * breaks it is seen before it is shipped: no inline scripts, no inline styles, nothing
 * from elsewhere, and no element or code made of text but by the templates of Svelte.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types svelte-trusted-html",
].join('; ');

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // Files are found beside index.html wherever it is served from.
  base: './',
  // The simulated people of `?fake=1` exist only where this is true; elsewhere the bundler drops them.
  define: { __FAKE__: JSON.stringify(mode !== 'production') },
  // Svelte picks its browser half by this condition; without it, tests would mount the server half.
  ...(process.env['VITEST'] ? { resolve: { conditions: ['browser'] } } : {}),
  build: {
    target: ['safari16.4', 'chrome111', 'firefox128'],
    // The oldest that know light-dark(), which is worse when translated.
    cssTarget: ['safari17.5', 'chrome123', 'firefox128'],
    // Both would put code or data into the page itself, which the policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // A browser that is a guest of one room gets a page of its own, and so does whoever looks inside.
    rolldownOptions: { input: { index: 'index.html', guest: 'guest.html', inspector: 'inspector.html' } },
  },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  preview: { host: '127.0.0.1', port: 4173, headers: { 'Content-Security-Policy': contentSecurityPolicy } },
  test: {
    include: ['src/**/*.test.ts', 'client/src/**/*.test.ts'],
    restoreMocks: true,
  },
}));
