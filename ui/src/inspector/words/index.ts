/** The words of the inspector, in the language of the window. They are loaded with it and not with the window. */
import { spoken } from '../../i18n';
import { de } from './de';
import { en } from './en';

export type Words = typeof en;

/** The words in use. */
export const w: Words = new Proxy(en, { get: (_, part) => Reflect.get(spoken() === 'de' ? de : en, part) });
