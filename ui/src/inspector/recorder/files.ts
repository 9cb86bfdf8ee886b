/** Files that come to the page, and names of those that leave it. */
import type { RecordingFile } from 'parlor-client';
import { fileName } from '../../messages/save-file';

export const ENDING = '.parlor-recording';

export const nameOf = (room: string): string => fileName(room, ENDING);

export const bytesOf = async (file: Blob): Promise<RecordingFile> => new Uint8Array(await file.arrayBuffer());

/** The first file of what was dropped. */
export const recordingIn = (dropped: DataTransfer | null): File | null => dropped?.files[0] ?? null;
