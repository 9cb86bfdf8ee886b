/**
 * The log as Markdown, to keep or to send. What people wrote is escaped, so that it stays words wherever the file is
 * shown: nobody's message becomes a heading, a picture or a page's code. Pure.
 */
import type { Message } from 'parlor-client';
import { apart, lineOf } from './line';
import { midnight } from './message-rows';
import { timeOf } from './message-log';
import { chatIn } from './message-types';
import { piecesOf, textOf } from './message-text';

export interface ExportWords {
  readonly title: string;
  readonly made: string;
  day(time: number): string;
  clock(time: number): string;
  nameOf(message: Message): string;
  readonly replyTo: (name: string) => string;
}

const QUOTE_LETTERS = 80;

export function logAsMarkdown(log: readonly Message[], words: ExportWords): string {
  const byId = new Map(log.map((message) => [message.id, message]));
  const lines = [`# ${escaped(words.title)}`, '', escaped(words.made)];
  let day: number | null = null;
  for (const message of log) {
    const today = midnight(timeOf(message));
    if (today !== day) lines.push('', `## ${escaped(words.day(today))}`);
    day = today;
    lines.push('', `**${escaped(apart(words.nameOf(message)))}** ${words.clock(timeOf(message))}`, '');
    const chat = chatIn(message);
    const answered = chat?.replyTo == null ? undefined : byId.get(chat.replyTo);
    if (answered !== undefined) {
      const quoted = lineOf(chatIn(answered)?.text, QUOTE_LETTERS) ?? '…';
      lines.push(`> ${escaped(words.replyTo(words.nameOf(answered)))}: ${escaped(quoted)}`, '');
    }
    lines.push(chat === null ? `\`${lineOf(message.type, 64)?.replaceAll('`', '') ?? '?'}\`` : written(chat.text));
  }
  return `${lines.join('\n')}\n`;
}

function written(text: string): string {
  const shown = textOf(text);
  const words = piecesOf(shown, [])
    .map((piece) => (piece.kind === 'link' ? `<${piece.link.address}>` : escaped(piece.kind === 'words' ? piece.text : '')))
    .join('');
  // Two spaces at its end keep a line a line.
  return words === '' ? '…' : words.replace(/ *\n/g, '  \n');
}

/** Every character that Markdown or HTML reads as more than itself. */
const escaped = (words: string): string =>
  words.replace(/[\\`*_{}[\]()<>#!|~&$=]/g, '\\$&').replace(/^(\s*)([-+]|\d+[.)])/gm, (_, space, mark: string) => `${space}${mark.slice(0, -1)}\\${mark.slice(-1)}`);
