/** The board on its way out and in: files, the clipboard, and what is copied and pasted on the board. */
import type { FileEnding } from 'parlor-client';
import { lineOf } from '../domain/line';
import { CLIPBOARD_TYPE, copiedJson, copiedText, pastedNotes } from '../domain/note-clipboard';
import { toMarkdown } from '../domain/note-markdown';
import { toBoard } from '../domain/camera';
import { copyText } from '../controls/clipboard';
import { sentenceOf } from '../app/app.svelte';
import { isBusyElsewhere, isWriting } from '../app/keys';
import type { Notes as PassingNotes } from '../app/notes.svelte';
import { t } from '../i18n';
import { saveFile } from '../messages/save-file';
import type { RoomSession } from '../room/session.svelte';
import type { Gestures } from './gestures.svelte';
import { coloursNow, paintBoard } from './note-picture';

export class BoardTransfer {
  constructor(
    private readonly session: RoomSession,
    private readonly gestures: Gestures,
    private readonly passing: PassingNotes,
  ) {}

  async copyMarkdown(): Promise<void> {
    this.passing.show((await copyText(this.#markdown())) ? t.app.copied : t.board.notCopied);
  }

  saveMarkdown(): Promise<void> {
    return this.#save('md', this.#markdown());
  }

  async savePicture(): Promise<void> {
    const picture = await this.#picture();
    if (picture === null) return this.passing.show(t.board.noPicture);
    await this.#save('png', picture);
  }

  /** Takes copy, cut and paste while the board has the keys; returns what ends it. */
  listen(): () => void {
    const { notes } = this.session.board;
    const mine = (event: Event) =>
      !event.defaultPrevented && !isWriting(event.target) && !isBusyElsewhere() && document.getSelection()?.isCollapsed !== false;
    const copy = (event: ClipboardEvent): boolean => {
      if (!mine(event) || notes.selected.size === 0 || event.clipboardData === null) return false;
      event.preventDefault();
      event.clipboardData.setData('text/plain', copiedText(notes.chosen));
      event.clipboardData.setData(CLIPBOARD_TYPE, copiedJson(notes.chosen));
      return true;
    };
    const cut = (event: ClipboardEvent) => void (copy(event) && notes.removeSelected());
    const paste = (event: ClipboardEvent) => {
      if (!mine(event) || event.clipboardData === null) return;
      const data = event.clipboardData;
      const pasted = pastedNotes(data.getData(CLIPBOARD_TYPE), data.getData('text/plain'));
      if (pasted.length === 0) return;
      event.preventDefault();
      const { view } = this.session;
      notes.paste(pasted, toBoard(view.camera, this.gestures.pointer ?? view.middle));
    };
    // Some engines ask first whether there is anything to copy.
    const ask = (event: Event) => mine(event) && notes.selected.size > 0 && event.preventDefault();
    const all = { copy, cut, paste, beforecopy: ask, beforecut: ask } as Record<string, (event: never) => unknown>;
    for (const [name, run] of Object.entries(all)) document.addEventListener(name, run as EventListener);
    return () => {
      for (const [name, run] of Object.entries(all)) document.removeEventListener(name, run as EventListener);
    };
  }

  async #save(ending: FileEnding, content: string | Blob): Promise<void> {
    try {
      const place = await saveFile(this.session.backend, this.#name, ending, content);
      // A browser shows what it took.
      if (place !== null) this.passing.show(t.app.savedAt(place));
    } catch (cause) {
      this.passing.show(sentenceOf(cause));
    }
  }

  get #name(): string {
    return this.session.settings.title ?? lineOf(this.session.room, 128) ?? t.room.untitled;
  }

  #markdown(): string {
    return toMarkdown(this.session.board.notes.all.values(), this.#name);
  }

  #picture(): Promise<Blob | null> {
    const canvas = paintBoard(this.session.board.notes.all.values(), coloursNow());
    return new Promise((resolve) => (canvas === null ? resolve(null) : canvas.toBlob(resolve, 'image/png')));
  }
}
