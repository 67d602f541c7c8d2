// Mouse, touch and keys on the map.

const STEP_PX = 60;
const CLICK_PX = 5;

// `answer`: move(columns, rows), zoom(factor, column, row), select(column, row, asSecond), all().
class Gestures {
  constructor(map, answer) {
    Object.assign(this, { map, answer, pointers: new Map(), moved: false });
    map.addEventListener("pointerdown", (event) => this.down(event));
    map.addEventListener("pointermove", (event) => this.drag(event));
    map.addEventListener("pointerup", (event) => this.up(event));
    map.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    map.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    map.addEventListener("keydown", (event) => this.key(event));
  }

  place(event) {
    const { left, top } = this.map.getBoundingClientRect();
    const { clientLeft, clientTop } = this.map;
    return [event.clientX - left - clientLeft, event.clientY - top - clientTop];
  }

  down(event) {
    if (event.button !== 0 || event.target.closest("button")) return;
    if (this.pointers.size === 0) this.moved = false;
    this.pointers.set(event.pointerId, { now: this.place(event), begin: this.place(event) });
    this.map.setPointerCapture(event.pointerId);
  }

  drag(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (pointer === undefined) return;
    const [column, row] = this.place(event);
    const from = pointer.begin;
    if (Math.hypot(column - from[0], row - from[1]) > CLICK_PX) this.moved = true;
    if (this.pointers.size === 2) this.pinch(pointer, [column, row]);
    else if (this.moved) this.answer.move(column - pointer.now[0], row - pointer.now[1]);
    if (this.moved || this.pointers.size === 2) pointer.now = [column, row];
  }

  pinch(pointer, place) {
    const other = [...this.pointers.values()].find((each) => each !== pointer).now;
    const distance = (one) => Math.max(Math.hypot(one[0] - other[0], one[1] - other[1]), 1);
    const middle = (one) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
    this.moved = true;
    const [before, after] = [middle(pointer.now), middle(place)];
    this.answer.move(after[0] - before[0], after[1] - before[1]);
    this.answer.zoom(distance(place) / distance(pointer.now), ...after);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId) || this.moved) return;
    this.answer.select(...this.place(event), event.shiftKey);
  }

  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
    const factor = Math.exp(-Math.min(Math.max(pixels, -300), 300) / 350);
    this.answer.zoom(factor, ...this.place(event));
  }

  key(event) {
    if (event.target !== this.map || event.ctrlKey || event.altKey || event.metaKey) return;
    const moves = {
      ArrowLeft: [STEP_PX, 0], ArrowRight: [-STEP_PX, 0],
      ArrowUp: [0, STEP_PX], ArrowDown: [0, -STEP_PX],
    };
    const middle = [this.map.clientWidth / 2, this.map.clientHeight / 2];
    if (event.key in moves) this.answer.move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.answer.zoom(1.5);
    else if (event.key === "-" || event.key === "_") this.answer.zoom(1 / 1.5);
    else if (event.key === "0" || event.key === "Home") this.answer.all();
    else if (event.key === "Enter") this.answer.select(...middle, event.shiftKey, Infinity);
    else return;
    event.preventDefault();
  }
}
