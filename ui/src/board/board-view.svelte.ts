/** Which part of the board this window shows. The camera is plain, since it moves every frame; its zoom is shown in text. */
import {
  centredOn,
  fitting,
  panned,
  viewOf,
  zoomed,
  type Camera,
  type Rect,
  type Size,
  type Spot,
} from '../domain/camera';

export class BoardView {
  camera: Camera = { x: -450, y: -300, zoom: 1 };
  size: Size = { w: 900, h: 600 };
  /** For people: 100 is life size. */
  percent = $state(100);
  readonly #listeners = new Set<(own: boolean) => void>();

  get rect(): Rect {
    return viewOf(this.camera, this.size);
  }

  /** As presence says it. */
  get viewport(): Rect & { zoom: number } {
    const { x, y, w, h } = this.rect;
    const whole = Math.round;
    return { x: whole(x), y: whole(y), zoom: Math.round(this.camera.zoom * 1000) / 1000, w: whole(w), h: whole(h) };
  }

  get middle(): Spot {
    return { x: this.size.w / 2, y: this.size.h / 2 };
  }

  /** Hears of every change; `own` is one that this window's person made. */
  onChange(listener: (own: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The window changed: what was in the middle stays there. */
  resize(size: Size): void {
    const { x, y, w, h } = this.rect;
    this.size = size;
    this.look(centredOn({ x: x + w / 2, y: y + h / 2 }, this.camera.zoom, size), false);
  }

  look(camera: Camera, own = true): void {
    this.camera = camera;
    this.percent = Math.round(camera.zoom * 100);
    for (const listener of this.#listeners) listener(own);
  }

  pan(dx: number, dy: number): void {
    this.look(panned(this.camera, dx, dy));
  }

  zoom(factor: number, about: Spot = this.middle): void {
    this.look(zoomed(this.camera, factor, about));
  }

  zoomTo(zoom: number): void {
    this.zoom(zoom / this.camera.zoom);
  }

  goTo(spot: Spot): void {
    this.look(centredOn(spot, this.camera.zoom, this.size));
  }

  fit(rects: readonly Rect[]): void {
    const camera = fitting(rects, this.size);
    if (camera !== null) this.look(camera);
  }
}
