/**
 * The flight recorder of a room: its file, and what a peer makes of one. A file is handed over as it is, and nothing of it
 * stays with the peer, so it is the same whichever peer plays it.
 */
import { type Call, inRoom, searchOf } from './call';
import type { Lineup } from './generated/Lineup';
import type { Replayed } from './generated/Replayed';
import type { ReplayState } from './generated/ReplayState';

/** The bytes of a recording. A peer plays files of up to 16 MiB. */
export type RecordingFile = Uint8Array<ArrayBuffer>;

export interface RecordingOptions {
  /** With names and values as they are; else each is another of the same length. */
  readonly values?: boolean;
}

/** A moment of a recording: after a step, or so many milliseconds after its beginning. Its end when neither is there. */
export interface ReplayMoment {
  readonly at?: number;
  readonly atMs?: number;
}

/** Which part of a recording is wanted. */
export interface ReplayQuery extends ReplayMoment {
  /** The first step that is listed; 1 when missing. */
  readonly from?: number;
  /** So many are listed at most; 1,000 when missing, 10,000 at most. */
  readonly limit?: number;
}

export interface Replays {
  /** What a room was given during the last ten minutes, as a file. The room has to be open. */
  recording(room: string, options?: RecordingOptions): Promise<RecordingFile>;
  /** Plays a file, and lists a part of it. */
  replay(file: RecordingFile, query?: ReplayQuery): Promise<Replayed>;
  /** What was held at one moment, and what the step before it changed. */
  replayState(file: RecordingFile, moment?: ReplayMoment): Promise<ReplayState>;
  /** A test in Rust that plays it. */
  replayTest(file: RecordingFile, name?: string): Promise<string>;
  /** Two recordings of one incident, and where the two peers disagree first. */
  replayLineup(first: RecordingFile, second: RecordingFile): Promise<Lineup>;
}

/** All of it, by calls of one peer. */
export function replays(call: Call): Replays {
  return {
    recording: (room, { values = false } = {}) =>
      call('GET', inRoom(room, `/recording${searchOf({ values })}`), { answer: 'bytes' }),
    replay: (file, query = {}) => call('POST', `/replay${searchOf(query)}`, { file }),
    replayState: (file, moment = {}) => call('POST', `/replay/state${searchOf(moment)}`, { file }),
    replayTest: (file, name) =>
      call('POST', `/replay/test${searchOf(name === undefined ? {} : { name })}`, { file, answer: 'text' }),
    replayLineup: (first, second) =>
      call('POST', `/replay/lineup${searchOf({ first: first.length })}`, { file: joined(first, second) }),
  };
}

/** Two files, one behind the other. */
export function joined(first: RecordingFile, second: RecordingFile): RecordingFile {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
