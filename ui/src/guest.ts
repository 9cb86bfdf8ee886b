/** Starts the page of a guest: the same interface, for one room that somebody shares to browsers. */
import '@fontsource-variable/inter/wght.css';
import { mount } from 'svelte';
import './styles/base.css';
import './styles/tokens.css';
import { guestBackend, takeSecret } from 'parlor-client/guest';
import { App } from './app/app.svelte';
import AppView from './app/App.svelte';
import { known, speak } from './i18n';

const target = document.getElementById('app');
await speak(known(navigator.languages));
const backend = guestBackend({ origin: location.origin, token: takeSecret(location, history) });
if (target !== null) mount(AppView, { target, props: { app: new App(backend, null) } });
