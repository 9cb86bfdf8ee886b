/**
 * The words of the user interface. One catalogue a language, all of the same type, so a sentence that a language lacks
 * is an error at build time.
 */
export { ago, clock, day, list, many, millis, moment, number, span } from './format';
export { known, LANGUAGES, speak, spoken, t, type Catalogue, type Language } from './spoken.svelte';
