// Which part of the ground the map shows, and how large.

const CLOSEST = 40000;

class View {
  constructor(points) {
    this.points = points;
    this.width = 1;
    this.height = 1;
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
  }

  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  // Pixels a degree of latitude with which all points just fit.
  get whole() {
    const { x, y } = this.points.half;
    const margin = 0.92;
    const across = margin * this.width / Math.max(2 * x, 1e-4);
    return Math.min(across, (margin * this.height - 30) / Math.max(2 * y, 1e-4));
  }

  get scale() {
    return this.whole * this.zoom;
  }

  showAll() {
    Object.assign(this, { x: 0, y: 0, zoom: 1 });
  }

  screen(x, y) {
    return [
      this.width / 2 + (x - this.x) * this.scale,
      this.height / 2 - (y - this.y) * this.scale,
    ];
  }

  ground(column, row) {
    return [
      this.x + (column - this.width / 2) / this.scale,
      this.y - (row - this.height / 2) / this.scale,
    ];
  }

  move(columns, rows) {
    this.x = this.held(this.x - columns / this.scale, this.points.half.x);
    this.y = this.held(this.y + rows / this.scale, this.points.half.y);
  }

  held(value, half) {
    const most = half + 0.3 * this.width / this.scale;
    return Math.min(Math.max(value, -most), most);
  }

  // Zooms about a place on the screen, which stays where it is.
  zoomBy(factor, column = this.width / 2, row = this.height / 2) {
    const [x, y] = this.ground(column, row);
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.5), CLOSEST);
    const [nowX, nowY] = this.ground(column, row);
    this.x += x - nowX;
    this.y += y - nowY;
    this.move(0, 0);
  }

  centreOn(x, y) {
    this.x = x;
    this.y = y;
    this.move(0, 0);
  }

  fromDegrees(lon, lat) {
    const { middle, shrink } = this.points;
    return [(lon - middle.lon) * shrink, lat - middle.lat];
  }

  toDegrees(x, y) {
    const { middle, shrink } = this.points;
    return [middle.lon + x / shrink, middle.lat + y];
  }
}
