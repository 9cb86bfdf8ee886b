/**
 * What somebody is here with. Each window says it with its join, so that several devices of one person can be told apart;
 * as presence it is another's JSON, and what does not fit counts as not said.
 */
import { lineOf } from './line';

export type System = 'linux' | 'windows' | 'macos' | 'android' | 'ios';

export interface Device {
  readonly system: System | null;
  /** Parlor's own window, or a page in a browser. */
  readonly app: 'window' | 'browser' | null;
  /** As its person calls it. */
  readonly name: string | null;
}

/** As they write themselves, in every language. */
export const SYSTEMS: Readonly<Record<System, string>> = {
  linux: 'Linux',
  windows: 'Windows',
  macos: 'macOS',
  android: 'Android',
  ios: 'iOS',
};

export const NAME_LETTERS = 32;

/** Which system a browser says that it runs on. A tablet of Apple's says that it is a Mac, and has fingers. */
export function systemOf({
  userAgent,
  maxTouchPoints = 0,
}: {
  userAgent: string;
  maxTouchPoints?: number;
}): System | null {
  if (/Android/.test(userAgent)) return 'android';
  if (/iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)) return 'ios';
  if (/Macintosh|Mac OS X/.test(userAgent)) return 'macos';
  if (/Windows/.test(userAgent)) return 'windows';
  return /Linux|X11|CrOS/.test(userAgent) ? 'linux' : null;
}

/** As a join's metadata says it. */
export function deviceToSay({ system, app, name }: Device): Record<string, string> {
  const said = { system, app, name: lineOf(name, NAME_LETTERS) };
  return Object.fromEntries(Object.entries(said).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** What a member's metadata says of it; null when nothing. */
export function deviceOf(metadata: Readonly<Record<string, unknown>>): Device | null {
  const said = metadata['device'];
  // A program may call its device by a word alone.
  if (typeof said === 'string') return named(lineOf(said, NAME_LETTERS));
  if (typeof said !== 'object' || said === null) return null;
  const { system, app, name } = said as Record<string, unknown>;
  const device: Device = {
    system: typeof system === 'string' && Object.hasOwn(SYSTEMS, system) ? (system as System) : null,
    app: app === 'window' || app === 'browser' ? app : null,
    name: lineOf(name, NAME_LETTERS),
  };
  return Object.values(device).every((part) => part === null) ? null : device;
}

const named = (name: string | null): Device | null => (name === null ? null : { system: null, app: null, name });

/** Devices that are called the same are numbered, in their order. */
export function toldApart(words: readonly string[]): string[] {
  const nth = new Map<string, number>();
  return words.map((word) => {
    const place = (nth.get(word) ?? 0) + 1;
    nth.set(word, place);
    return words.indexOf(word) === words.lastIndexOf(word) ? word : `${word} (${place})`;
  });
}
