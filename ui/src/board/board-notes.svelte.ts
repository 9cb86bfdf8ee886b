/**
 * The notes of the room as this window shows them: what the feed says with own writes laid over it, what is selected, and
 * everything that this person does to notes. Own writes show at once; what the peer refuses is taken back and told.
 */
import { toParlorError, type Backend, type BoardChange, type Note, type NoteChange } from 'parlor-client';
import { sentenceOf } from '../app/app.svelte';
import type { Notes as PassingNotes } from '../app/notes.svelte';
import { bytesOf } from '../domain/bytes';
import type { Rect, Size, Spot } from '../domain/camera';
import type { CopiedNote } from '../domain/note-clipboard';
import type { Paper } from '../domain/note-colour';
import { newId } from '../domain/ids';
import { blankNote, fieldsOf, NoteDrafts } from '../domain/note-drafts';
import { gridAround, NOTE_SIZE, placeOf, restacked, topmost } from '../domain/note-geometry';
import { NoteHistory, type Reversal, type Step } from '../domain/note-history';
import { NoteQueue } from '../domain/note-queue';
import { SELECTED_MAX } from '../domain/seen';
import { t } from '../i18n';

/** An own write that was taken is laid over the notes this long at most, while the feed still may be behind. */
const SETTLES_MS = 1_000;
/** Where the rest of a snapshot never comes, what it did not bring is gone after all. */
const REST_WITHIN_MS = 3_000;
/** Bytes of presence for the ids of what is selected. */
const SELECTED_BYTES = 1_200;
/** Ids of notes are short: presence names many. */
const ID_LETTERS = 10;
/** A copy stands this far from what it is of. */
const BESIDE = 24;

/** What the notes need of a visit to a room. */
export interface Around {
  readonly backend: Backend;
  readonly room: string;
  readonly passing: PassingNotes;
  readonly me: () => string;
  readonly nameOf: (userId: string) => string;
  /** Why nothing can be changed; null when it can. */
  readonly whyFixed: () => string | null;
  readonly tell: (presence: Record<string, unknown>) => void;
  /** This person changed something. */
  readonly acted: () => void;
}

interface Doing {
  /** Whether it can be undone; text is undone as a whole when its writing ends. */
  readonly undo?: boolean;
  /** Doings of one kind that follow each other are one. */
  readonly kind?: string;
}

export class BoardNotes {
  selected = $state.raw<ReadonlySet<string>>(new Set());
  /** The paper of the next note. */
  paper = $state<Paper>('yellow');
  /** Counts the changes of the notes, which are too many to watch one by one. */
  version = $state(0);
  /** Counts the changes of what there is and of what lies on what. */
  stacking = $state(0);
  /** Something of what is shown changed. */
  onChange: () => void = () => {};
  readonly history = new NoteHistory();
  canUndo = $state(false);
  canRedo = $state(false);
  readonly #known = new Map<string, Note>();
  readonly #shown = new Map<string, Note>();
  readonly #drafts: NoteDrafts;
  readonly #queue: NoteQueue;
  readonly #undoable = new Map<number, readonly Step[]>();
  /** What was known of the notes that a write removes. */
  readonly #removing = new Map<number, ReadonlyMap<string, Note | undefined>>();
  #fresh: Set<string> | null = null;
  #write = 0;
  #closed = false;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(private readonly around: Around) {
    this.#drafts = new NoteDrafts(around.me);
    this.#queue = new NoteQueue({
      send: async (change) => this.#answer((await around.backend.setBoard(around.room, change)).notes),
      answered: (write) => this.#answered(write),
      refused: (write, cause) => this.#refused(write, cause),
      passes: (cause) => !this.#closed && passes(cause),
    });
  }

  /** Every note, as this window shows it. */
  get all(): ReadonlyMap<string, Note> {
    void this.version;
    return this.#shown;
  }

  get chosen(): Note[] {
    return [...this.selected].map((id) => this.all.get(id)).filter((note) => note !== undefined);
  }

  get fixed(): boolean {
    return this.around.whyFixed() !== null;
  }

  /** Whether this person may change notes; says why not. */
  may(): boolean {
    const why = this.around.whyFixed();
    if (why !== null) this.around.passing.show(why);
    return why === null;
  }

  // What the feed says.

  /** All that is known may be old; what the rest of the snapshot does not bring is gone. */
  snapshot(): void {
    this.#fresh = new Set();
    this.#later(() => this.complete(), REST_WITHIN_MS);
  }

  heard(notes: readonly Note[], removed: readonly string[]): void {
    for (const note of notes) {
      this.#known.set(note.id, note);
      this.#drafts.heard(note.id, note);
      this.#fresh?.add(note.id);
    }
    for (const id of removed) {
      this.#known.delete(id);
      this.#drafts.heard(id, null);
    }
    this.#show([...notes.map((note) => note.id), ...removed]);
  }

  /** The whole snapshot is here. */
  complete(): void {
    const fresh = this.#fresh;
    if (fresh === null) return;
    this.#fresh = null;
    const gone = [...this.#known.keys()].filter((id) => !fresh.has(id));
    for (const id of gone) this.#known.delete(id);
    this.#show(gone);
    this.#queue.retry();
  }

  retry(): void {
    this.#queue.retry();
  }

  close(): void {
    this.#closed = true;
    this.#queue.close();
    this.#timers.forEach(clearTimeout);
  }

  // What is selected.

  select(ids: Iterable<string>): void {
    const next = new Set([...ids].filter((id) => this.#shown.has(id)));
    if (next.size === this.selected.size && [...next].every((id) => this.selected.has(id))) return;
    this.selected = next;
    this.around.tell({ selected: this.presence.selected });
  }

  toggle(id: string): void {
    const next = new Set(this.selected);
    if (!next.delete(id)) next.add(id);
    this.select(next);
  }

  selectAll(): void {
    this.select(this.#shown.keys());
  }

  /** Says who selected what, as long as it fits. */
  get presence(): { selected?: readonly string[] } {
    const told: string[] = [];
    let bytes = 0;
    for (const id of this.selected) {
      bytes += bytesOf(id) + 3;
      if (told.length === SELECTED_MAX || bytes > SELECTED_BYTES) break;
      told.push(id);
    }
    return told.length === 0 ? {} : { selected: told };
  }

  // What this person does.

  /** A note with its middle at a spot; null when nothing may be changed. */
  create(spot: Spot, size: Size = NOTE_SIZE): string | null {
    if (!this.may()) return null;
    const id = newId(ID_LETTERS);
    const place = { x: Math.round(spot.x - size.w / 2), y: Math.round(spot.y - size.h / 2), w: size.w, h: size.h };
    this.write({ set: [{ id, ...place, z: topmost(this.#shown.values()), color: this.paper, text: '' }] });
    this.select([id]);
    return id;
  }

  moveBy(ids: Iterable<string>, dx: number, dy: number, kind?: string): void {
    const moved = [...ids].map((id) => this.#shown.get(id)).filter((note) => note !== undefined);
    if (moved.length === 0 || (dx === 0 && dy === 0) || !this.may()) return;
    const set = moved.map((note) => {
      const { x, y } = placeOf(note);
      return { id: note.id, x: Math.round(x + dx), y: Math.round(y + dy) };
    });
    this.write({ set }, kind === undefined ? {} : { kind });
  }

  resize(id: string, { w, h }: Size): void {
    if (this.may()) this.write({ set: [{ id, w, h }] });
  }

  recolour(color: Paper): void {
    this.paper = color;
    const set = this.chosen.filter((note) => note.color !== color).map(({ id }) => ({ id, color }));
    if (set.length > 0 && this.may()) this.write({ set });
  }

  restack(where: 'front' | 'back'): void {
    if (this.may()) this.write({ set: restacked(this.#shown.values(), this.selected, where) });
  }

  removeSelected(): void {
    if (this.selected.size === 0 || !this.may()) return;
    const { passing } = this.around;
    const count = this.selected.size;
    this.write({ remove: [...this.selected] });
    passing.say(t.board.removed(count));
  }

  duplicate(): void {
    const from = this.chosen.map((note) => ({ ...fieldsOf(note), ...placeOf(note) }) as CopiedNote);
    this.#add(from.map((note) => ({ ...note, x: note.x + BESIDE, y: note.y + BESIDE })));
  }

  /** Puts copied notes down with their middle at a spot. */
  paste(notes: readonly CopiedNote[], middle: Spot): void {
    const right = Math.max(...notes.map(({ x, w }) => x + w));
    const bottom = Math.max(...notes.map(({ y, h }) => y + h));
    const [dx, dy] = [Math.round(middle.x - right / 2), Math.round(middle.y - bottom / 2)];
    this.#add(notes.map((note) => ({ ...note, x: note.x + dx, y: note.y + dy })));
  }

  /** New notes of these texts, in a grid around the middle of the view. */
  lay(texts: readonly string[], view: Rect): Rect[] {
    const spots = gridAround(texts.length, { x: view.x + view.w / 2, y: view.y + view.h / 2 }, view);
    const notes = texts.map((text, i) => ({ ...(spots[i] as Spot), ...NOTE_SIZE, color: this.paper, text }));
    return this.#add(notes) ? notes : [];
  }

  undo(): boolean {
    return this.#turn(this.history.canUndo, () => this.history.undo((id) => this.#shown.get(id)), t.board.undone);
  }

  redo(): boolean {
    return this.#turn(this.history.canRedo, () => this.history.redo((id) => this.#shown.get(id)), t.board.redone);
  }

  /** Puts what was written down as one doing, such as a text whose writing ended. */
  did(steps: readonly Step[]): void {
    this.history.did(steps);
    this.#showHistory();
  }

  /** Writes, shows it at once, and keeps what takes it back. */
  write({ set = [], remove = [] }: BoardChange, { undo = true, kind }: Doing = {}): void {
    if (set.length + remove.length === 0) return;
    this.around.acted();
    const number = ++this.#write;
    const steps = undo ? this.#stepsOf(set, remove) : [];
    for (const change of set) this.#drafts.set(change, number, this.#shown.get(change.id) ?? null);
    for (const id of remove) this.#drafts.remove(id, number, this.#shown.get(id) ?? null);
    if (remove.length > 0) this.#removing.set(number, new Map(remove.map((id) => [id, this.#known.get(id)])));
    if (undo) {
      this.history.did(steps, kind ?? null);
      this.#undoable.set(number, steps);
      this.#showHistory();
    }
    this.#show([...set.map(({ id }) => id), ...remove]);
    this.#queue.push(number, { set: [...set], remove: [...remove] }, kind ?? null);
  }

  #add(notes: readonly CopiedNote[]): boolean {
    if (notes.length === 0 || !this.may()) return false;
    const top = topmost(this.#shown.values());
    const set = notes.map((note, i) => ({ ...note, id: newId(ID_LETTERS), z: top + i }));
    this.write({ set });
    this.select(set.map(({ id }) => id));
    return true;
  }

  #stepsOf(set: readonly NoteChange[], remove: readonly string[]): Step[] {
    const steps: Step[] = set.map((change) => {
      const before = this.#shown.get(change.id);
      if (before === undefined) {
        return { id: change.id, before: null, after: fieldsOf({ ...blankNote(change.id, this.around.me()), ...change }) };
      }
      const after = fieldsOf(change);
      const was = Object.fromEntries(Object.keys(after).map((field) => [field, before[field as keyof Note]]));
      return { id: change.id, before: was, after };
    });
    for (const id of remove) {
      const note = this.#shown.get(id);
      if (note !== undefined) steps.push({ id, before: fieldsOf(note), after: null });
    }
    return steps;
  }

  #turn(can: boolean, turn: () => Reversal | null, words: string): boolean {
    if (!can) return false;
    if (!this.may()) return true;
    const reversal = turn();
    this.#showHistory();
    if (reversal === null) return true;
    const { set, remove, kept } = reversal;
    this.write({ set: [...set], remove: [...remove] }, { undo: false });
    const { passing, me, nameOf } = this.around;
    if (kept.length === 0) {
      passing.say(words);
      return true;
    }
    const by = this.#shown.get(kept[0] ?? '')?.updatedBy;
    passing.show(t.board.keptSince(by === undefined || by === me() ? null : nameOf(by), kept.length));
    return true;
  }

  /** Brings what is shown of these notes up to date. */
  #show(ids: Iterable<string>): void {
    let gone = false;
    let restacked = false;
    for (const id of ids) {
      const note = this.#drafts.over(id, this.#known.get(id));
      const before = this.#shown.get(id);
      restacked ||= before?.z !== note?.z;
      if (note === null) gone = this.#shown.delete(id) || gone;
      else this.#shown.set(id, note);
    }
    this.version += 1;
    if (restacked) this.stacking += 1;
    this.onChange();
    if (gone && [...this.selected].some((id) => !this.#shown.has(id))) this.select(this.selected);
  }

  #showHistory(): void {
    this.canUndo = this.history.canUndo;
    this.canRedo = this.history.canRedo;
  }

  /** The peer says how the notes are that it wrote. The feed may be behind, as in a window that nobody sees, or ahead. */
  #answer(notes: readonly Note[]): void {
    for (const note of notes) {
      const known = this.#known.get(note.id);
      // Of the same moment, the feed has this write and what others wrote to other fields since.
      if (known === undefined || known.updatedAt < note.updatedAt) this.#known.set(note.id, note);
    }
    this.#show(notes.map(({ id }) => id));
  }

  #answered(write: number): void {
    for (const [id, known] of this.#removing.get(write) ?? []) if (this.#known.get(id) === known) this.#known.delete(id);
    this.#later(() => this.#settle(write), SETTLES_MS);
  }

  #settle(write: number): void {
    this.#undoable.delete(write);
    this.#removing.delete(write);
    const touched = this.#drafts.drop(write);
    if (touched.length > 0) this.#show(touched);
  }

  #refused(write: number, cause: unknown): void {
    const steps = this.#undoable.get(write);
    if (steps !== undefined) this.history.forget(steps);
    this.#showHistory();
    this.#settle(write);
    const { code, details } = toParlorError(cause);
    const full = code === 'PAYLOAD_TOO_LARGE' && details['limit'] === 'notes';
    if (code !== 'FORBIDDEN') this.around.passing.show(full ? t.board.full : t.board.takenBack(sentenceOf(cause)));
  }

  #later(run: () => void, wait: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, wait);
    this.#timers.add(timer);
  }
}

/** What may go better a moment later: the peer is away, or this person is about to be in the room again. */
const passes = (cause: unknown): boolean =>
  ['NETWORK_UNAVAILABLE', 'RATE_LIMITED', 'NOT_JOINED'].includes(toParlorError(cause).code);
