/** Times and lengths of time, short enough for a column and never without a unit. */
import { number } from '../i18n';
import { spoken } from '../i18n';

/** "13:43:41.695": by this computer's clock and in its zone, to the millisecond. */
export function timeOf(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** "0.4 s", "12 s", "3 min", "2 h". */
export function lengthOf(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${number(Math.round(seconds * 10) / 10)} s`;
  if (seconds < 100) return `${number(Math.round(seconds))} s`;
  if (seconds < 6_000) return `${number(Math.round(seconds / 60))} min`;
  if (seconds < 172_800) return `${number(Math.round(seconds / 3_600))} h`;
  const words = new Intl.NumberFormat(spoken(), { style: 'unit', unit: 'day', unitDisplay: 'short' });
  return words.format(Math.round(seconds / 86_400));
}

/** "4:19.544": since something began, in minutes, seconds and milliseconds. */
export function clockOf(ms: number): string {
  const [seconds, rest] = [Math.floor(ms / 1_000), Math.floor(ms % 1_000)];
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.${String(rest).padStart(3, '0')}`;
}

/** The quarters of so long a time, as exact as it takes to tell them apart: "0:00.0", "0:00.5" and so on of two seconds. */
export function quartersOf(ms: number): string[] {
  const digits = [0, 1, 2].find((digits) => ms / 4 >= 2_000 / 10 ** digits) ?? 3;
  const unit = 1_000 / 10 ** digits;
  const label = (at: number) => clockOf(Math.round(at / unit) * unit);
  return [0, 0.25, 0.5, 0.75, 1].map((share) => label(share * ms).slice(0, digits === 0 ? -4 : digits - 3 || undefined));
}

/** "0.88 ms", "14 ms". */
export const msOf = (ms: number): string =>
  `${number(ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms))} ms`;

/** "312 B", "4.2 KiB", "8 MiB". */
export function sizeOf(bytes: number): string {
  if (bytes < 1_024) return `${number(bytes)} B`;
  const [amount, unit] = bytes < 1_048_576 ? [bytes / 1_024, 'KiB'] : [bytes / 1_048_576, 'MiB'];
  return `${number(amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount))} ${unit}`;
}
