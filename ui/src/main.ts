/** Starts the user interface: finds the way to the peer, chooses the language, and mounts the window. */
import '@fontsource-variable/inter/wght.css';
import { mount } from 'svelte';
import './styles/base.css';
import './styles/tokens.css';
import type { Backend } from 'parlor-client';
import { App } from './app/app.svelte';
import AppView from './app/App.svelte';
import NoToken from './app/NoToken.svelte';
import { known, speak } from './i18n';

const target = document.getElementById('app');
await speak(known(navigator.languages));

async function wayToPeer(): Promise<{ backend: Backend | null; room: string | null }> {
  if ('__TAURI_INTERNALS__' in window) {
    const { tauriBackend } = await import('parlor-client/tauri');
    return { backend: tauriBackend(), room: null };
  }
  if (__FAKE__ && new URLSearchParams(location.search).has('fake')) {
    const { fakeFromSearch } = await import('./fake-search');
    return fakeFromSearch(new URLSearchParams(location.search));
  }
  const { takeHash, webBackend } = await import('parlor-client/web');
  const { token, room } = takeHash(location, history);
  return { backend: token === null ? null : webBackend({ origin: location.origin, token }), room };
}

const { backend, room } = await wayToPeer();
// A window is no web page: its menu is there only where there is text to copy or paste.
if (backend?.kind === 'desktop') {
  window.addEventListener('contextmenu', (event) => {
    if (!(event.target instanceof Element && event.target.closest('input, textarea, .selectable'))) event.preventDefault();
  });
}
if (target !== null) {
  if (backend === null) mount(NoToken, { target });
  else mount(AppView, { target, props: { app: new App(backend, room) } });
}
