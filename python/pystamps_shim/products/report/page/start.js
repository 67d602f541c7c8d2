// Everything put together.

const REACH_PX = 24;
// While the map moves, slow machines draw fewer points; all of them once it rests.
const SLOW_FRAME_MS = 60;
const REST_MS = 200;
const FEWEST = 30000;
const state = { selected: -1, second: -1, crosshair: false, wantsSecond: false };
let requestDraw = () => {};

class Page {
  constructor(points) {
    this.part = (id) => document.getElementById(id);
    this.points = points;
    this.view = new View(points);
    this.map = this.part("map");
    this.kept = addressRead();
    this.most = points.count;
    this.panel = new Panel(points);
    const canvas = this.part("points");
    const plain = this.kept?.renderer === "2d";
    this.drawing = plain ? null : GraphicsDrawing.on(canvas, points);
    this.drawing ??= new PlainDrawing(canvas, points);
    this.map.dataset.renderer = this.drawing.constructor.name;
    requestDraw = () => this.request();
    this.fit();
    this.part("size").value = this.usualSize();
    this.legend = new Legend((otherValue) => this.recolour(otherValue));
    this.legend.choose(about.shown[0].name);
    this.listen();
    if (!this.restore() && about.first_row >= 0) this.select(about.first_row, false, false);
    this.draw();
  }

  // Such that points just touch their neighbours when all are shown.
  usualSize() {
    const { view, points: { half, count } } = this;
    // Points in one line, or a single one, are not to vanish.
    const width = Math.max(2 * half.x * view.scale, view.width / 8);
    const height = Math.max(2 * half.y * view.scale, view.height / 8);
    const size = 1.1 * Math.sqrt(width * height / count);
    return Math.min(Math.max(Math.round(2 * size) / 2, 2), 8);
  }

  get size() {
    const grown = Math.max(this.view.zoom, 1) ** 0.3;
    return Math.min(Number(this.part("size").value) * grown, 24);
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.map;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.view.resize(width, height);
    for (const id of ["points", "marks"]) {
      const canvas = this.part(id);
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
  }

  // Marks are always drawn anew, the points only if they may look different.
  request(points = true) {
    this.stale ||= points;
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => {
      this.requested = false;
      this.draw();
    });
  }

  draw() {
    const { view, legend, ratio } = this;
    if (this.stale) this.drawPoints();
    const context = this.part("marks").getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawMarks(context, view, state);
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      if (this.touched) writeAddress(addressOf(view, legend, state, this.points));
    }, 250);
  }

  drawPoints() {
    const { view, legend, ratio } = this;
    const drawn = this.drawn();
    // Fewer points are larger ones: the picture keeps its colours.
    const size = this.size * Math.min(Math.sqrt(this.points.count / drawn), 2.5);
    this.drawing.draw(view, legend.low, legend.high, size, ratio, drawn);
    this.stale = false;
  }

  // How many points this frame shows.
  drawn() {
    const now = performance.now();
    const pause = now - (this.lastFrame ?? -Infinity);
    this.lastFrame = now;
    if (!this.moving) return this.points.count;
    if (pause > 5 * REST_MS) return Math.floor(this.most);
    if (pause > SLOW_FRAME_MS) this.most = Math.max(this.most / 2, FEWEST);
    else if (pause < SLOW_FRAME_MS / 3) this.most *= 1.3;
    this.most = Math.min(this.most, this.points.count);
    return Math.floor(this.most);
  }

  // Movement is over when none has come for a while.
  move() {
    this.moving = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moving = false;
      if (this.most < this.points.count) this.request();
    }, REST_MS);
    this.touch();
  }

  recolour(otherValue) {
    if (otherValue) {
      const values = Float32Array.from(floats(this.points.columns[this.legend.shown.name]));
      for (let i = 0; i < values.length; i += 1) if (Number.isNaN(values[i])) values[i] = 1e30;
      this.drawing.colour(values, scaleColours(this.legend.shown.diverging));
    }
    this.touch();
  }

  // From the first change on, the address follows.
  touch(points = true) {
    this.touched = this.listening === true;
    this.request(points);
  }

  listen() {
    const { view } = this;
    const zoom = (factor, ...place) => {
      view.zoomBy(factor, ...place);
      this.move();
    };
    const all = () => {
      view.showAll();
      this.move();
    };
    const move = (columns, rows) => {
      view.move(columns, rows);
      this.move();
    };
    const select = (column, row, asSecond, reach) => this.pick(column, row, asSecond, reach);
    new Gestures(this.map, { move, zoom, all, select });
    this.part("closer").addEventListener("click", () => zoom(1.6));
    this.part("farther").addEventListener("click", () => zoom(1 / 1.6));
    this.part("whole").addEventListener("click", all);
    this.part("size").addEventListener("input", () => this.request());
    this.listenToFocus();
    this.listenToButtons();
    listenToSearch(this.points, (lon, lat) => this.goTo(lon, lat));
    window.addEventListener("hashchange", () => this.restore());
    new ResizeObserver(() => {
      this.fit();
      this.stale = true;
      this.draw();
    }).observe(this.map);
    this.listening = true;
  }

  listenToFocus() {
    const crosshair = () => {
      state.crosshair = this.map.matches(":focus-visible");
      this.request(false);
    };
    for (const event of ["focus", "blur", "keyup"]) this.map.addEventListener(event, crosshair);
  }

  listenToButtons() {
    const second = this.part("second");
    second.addEventListener("click", () => this.wantSecond(!state.wantsSecond));
    this.part("only").addEventListener("click", () => {
      state.second = -1;
      this.select(state.selected, false, true);
      second.focus();
    });
    this.part("all-points").addEventListener("click", () => {
      offerDownload(pointsCsv(this.points), `${about.dataset}-points.csv`);
    });
    for (const button of document.querySelectorAll("button.show")) {
      button.addEventListener("click", () => {
        const row = Number(button.dataset.row);
        this.view.centreOn(this.points.places[2 * row], this.points.places[2 * row + 1]);
        this.request();
        this.select(row, false, true);
        this.map.scrollIntoView({ block: "center" });
      });
    }
  }

  wantSecond(wanted) {
    state.wantsSecond = wanted;
    this.part("second").setAttribute("aria-pressed", String(wanted));
    const text = wanted ? "Now select the second point" : "Compare with a second point";
    this.part("second").textContent = text;
  }

  pick(column, row, asSecond, reach = REACH_PX) {
    const { row: found, distance } = nearestRow(this.points, ...this.view.ground(column, row));
    if (distance * this.view.scale > reach) {
      this.part("announcement").textContent = "No point there.";
      return;
    }
    this.select(found, asSecond || state.wantsSecond, true);
  }

  select(row, asSecond, aloud) {
    if (asSecond && state.selected >= 0 && row !== state.selected) state.second = row;
    else if (!asSecond) Object.assign(state, { selected: row, second: -1 });
    this.wantSecond(false);
    if (aloud) this.touch(false);
    return this.panel.show(state.selected, state.second, aloud);
  }

  goTo(lon, lat) {
    const [x, y] = this.view.fromDegrees(lon, lat);
    this.view.centreOn(x, y);
    this.view.zoom = Math.max(this.view.zoom, 4);
    this.request();
    const { row, distance } = nearestRow(this.points, x, y);
    this.select(row, false, true);
    const metres = written(distance * METRES_PER_DEGREE, 0);
    this.part("search-answer").textContent += ` Nearest point: ${metres} m away.`;
  }

  // Returns whether the address selected a point.
  restore() {
    this.kept = addressRead();
    if (this.kept === null) return false;
    const { lon, lat, zoom, value, low, high, ps, second } = this.kept;
    if (value !== null) this.legend.choose(value);
    if (Number.isFinite(low) && Number.isFinite(high)) this.legend.setEnds(low, high);
    if (zoom > 0) this.view.zoom = Math.min(Math.max(zoom, 0.5), CLOSEST);
    if (Number.isFinite(lon) && Number.isFinite(lat)) {
      this.view.centreOn(...this.view.fromDegrees(sameTurn(this.points, lon), lat));
    }
    const row = Number.isFinite(ps) ? rowOfPs(this.points, ps) : -1;
    if (row < 0) return false;
    Object.assign(state, {
      selected: row, second: Number.isFinite(second) ? rowOfPs(this.points, second) : -1,
    });
    this.panel.show(state.selected, state.second, false);
    this.request();
    return true;
  }
}

readPoints().then((points) => {
  new Page(points);
  // After the frame has reached the screen.
  requestAnimationFrame(() => setTimeout(() => {
    performance.mark("drawn");
    document.documentElement.dataset.state = "ready";
  }));
}).catch((error) => {
  const fault = document.getElementById("fault");
  fault.textContent = `The map cannot be shown in this browser (${error.message}).`;
  fault.hidden = false;
  throw error;
});
