/** What was said while somebody was away: how much, by whom, since when, and where it begins. Pure. */
import type { Message } from 'parlor-client';

export interface WhileAway {
  /** The ids, oldest first. */
  readonly ids: readonly string[];
  /** Who spoke, in the order of their first words. */
  readonly writers: readonly string[];
  /** When the person went away. */
  readonly since: number;
}

/** `news` are the messages that came meanwhile and were not read, oldest first. */
export function whileAway(news: readonly Message[], since: number): WhileAway | null {
  if (news.length === 0) return null;
  const writers = [...new Set(news.map((message) => message.actor.userId))];
  return { ids: news.map((message) => message.id), writers, since };
}
