/**
 * What the `type` of a message means in Parlor's own windows, and what its `data` then holds. Anybody may publish any
 * type with any data (design A12), so each is read here by itself, and what does not fit counts as not said. Messages of
 * other types belong to other tools; kept ones are shown in the log as a quiet line.
 *
 * | type | data | kept |
 * |---|---|---|
 * | `chat` | `{text, replyTo?}`: words for everybody, 1 byte to 4 KiB; `replyTo` is the id of the message they answer | yes |
 * | `reaction` | `{emoji, message?}`: one emoji, at a message by its id, else at the cursor of whoever sent it | no |
 * | `gather` | `{viewport: {x, y, w, h}}`: asks everybody to look at this part of the board | no |
 *
 * Pins are no messages but settings of the room: its metadata key `pins` holds the ids of up to twenty messages, the
 * newest pin first.
 */
import type { Message } from 'parlor-client';

export const CHAT = 'chat';
export const REACTION = 'reaction';
export const GATHER = 'gather';

/** The key of the room's metadata that holds the pins. */
export const PINS_KEY = 'pins';
export const PINS_MAX = 20;

/** The longest text of a chat message, in bytes of UTF-8 (design A8). */
export const TEXT_BYTES = 4_096;
/** No id of a message is longer. */
const ID_LETTERS = 128;
/** A family of four with skin tones has eleven code points; no emoji has more than this. */
const EMOJI_UNITS = 40;

export interface Chat {
  readonly text: string;
  readonly replyTo: string | null;
}

export interface Reaction {
  readonly emoji: string;
  readonly message: string | null;
}

/** What somebody said in words; null for every other message. */
export function chatIn({ type, data }: Pick<Message, 'type' | 'data'>): Chat | null {
  if (type !== CHAT || !isBag(data) || typeof data['text'] !== 'string') return null;
  return { text: data['text'], replyTo: idOf(data['replyTo']) };
}

/** One emoji and where it belongs; null for every other message, and for what is no single emoji. */
export function reactionIn({ type, data }: Pick<Message, 'type' | 'data'>): Reaction | null {
  if (type !== REACTION || !isBag(data)) return null;
  const { emoji } = data;
  if (typeof emoji !== 'string' || emoji.length > EMOJI_UNITS || !isEmoji(emoji)) return null;
  return { emoji, message: idOf(data['message']) };
}

/** The pinned messages, newest pin first. */
export function pinsIn(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const ids = value.map(idOf).filter((id) => id !== null);
  return [...new Set(ids)].slice(0, PINS_MAX);
}

/** The pins with one more or one less. The oldest gives way when there are too many. */
export function withPin(pins: readonly string[], id: string, pinned: boolean): readonly string[] {
  const others = pins.filter((other) => other !== id);
  return pinned ? [id, ...others].slice(0, PINS_MAX) : others;
}

function isEmoji(text: string): boolean {
  const letters = [...graphemes.segment(text)];
  return letters.length === 1 && /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}/u.test(text);
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

const idOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= ID_LETTERS ? value : null;

const isBag = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
