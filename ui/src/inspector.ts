/** Starts the inspector: a page of its own that looks into a peer and changes nothing in it. */
import '@fontsource-variable/inter/wght.css';
import { mount } from 'svelte';
import './styles/base.css';
import './styles/tokens.css';
import type { Backend } from 'parlor-client';
import NoToken from './app/NoToken.svelte';
import { known, speak } from './i18n';
import { Inspector, type Looked } from './inspector/inspector.svelte';
import InspectorView from './inspector/Inspector.svelte';

const target = document.getElementById('app');
await speak(known(navigator.languages));

async function wayToPeer(): Promise<Backend | null> {
  if ('__TAURI_INTERNALS__' in window) return (await import('parlor-client/tauri')).tauriBackend();
  const { takeHash, webBackend } = await import('parlor-client/web');
  const { token } = takeHash(location, history);
  return token === null ? null : webBackend({ origin: location.origin, token });
}

const canLook = (backend: Backend | null): backend is Backend & Looked =>
  backend?.inspect !== undefined && backend.inspectOnce !== undefined;

const backend = await wayToPeer();
if (target !== null) {
  if (canLook(backend)) mount(InspectorView, { target, props: { inspector: new Inspector(backend) } });
  else mount(NoToken, { target });
}
