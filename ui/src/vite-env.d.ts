/// <reference types="svelte" />
/// <reference types="vite/client" />

/** Whether simulated people are part of this build: never in one that people get. */
declare const __FAKE__: boolean;
