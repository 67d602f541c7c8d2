// What lies over the points: graticule, scale bar, reference, selection.

const INK = "#1d2125";
const HALO = "rgba(255, 255, 255, 0.85)";
const FONT = "12px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const METRES_PER_DEGREE = 111195;
const EDGE = 8;

function drawMarks(context, view, state) {
  context.clearRect(0, 0, view.width, view.height);
  context.font = FONT;
  context.lineJoin = "round";
  drawGraticule(context, view);
  drawScaleBar(context, view);
  drawReference(context, view);
  if (state.second >= 0) drawRing(context, view, state.second, [4, 3]);
  if (state.selected >= 0) drawRing(context, view, state.selected, []);
  if (state.crosshair) drawCrosshair(context, view);
}

function roundStep(wanted) {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].find((step) => step * power >= wanted * (1 - 1e-9)) * power;
}

function drawGraticule(context, view) {
  const [west, north] = view.toDegrees(...view.ground(0, 0));
  const [east, south] = view.toDegrees(...view.ground(view.width, view.height));
  // Room for labels of seven characters along the lower edge.
  const step = roundStep(Math.max((north - south) / 6, 95 / view.width * (east - west)));
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  context.strokeStyle = "rgba(255, 255, 255, 0.45)";
  context.lineWidth = 1;
  const labels = [];
  for (let k = Math.ceil(west / step); k * step <= east; k += 1) {
    const column = Math.round(view.screen(...view.fromDegrees(k * step, 0))[0]) + 0.5;
    line(context, column, 0, column, view.height);
    labels.push(["center", column, view.height - EDGE, eastWest(k * step, decimals)]);
  }
  for (let k = Math.ceil(south / step); k * step <= north; k += 1) {
    const row = Math.round(view.screen(0, k * step - view.points.middle.lat)[1]) + 0.5;
    line(context, 0, row, view.width, row);
    labels.push(["left", EDGE, row + 4, northSouth(k * step, decimals)]);
  }
  for (const label of labels) drawGraticuleLabel(context, view, label);
}

// Labels that would be cut off, or meet in the corner, are left out.
function drawGraticuleLabel(context, view, [align, column, row, text]) {
  const half = context.measureText(text).width / 2;
  if (align === "center" && (column - half < 80 || column + half > view.width - EDGE)) return;
  if (align === "left" && (row < 16 || row > view.height - 30)) return;
  context.textAlign = align;
  halo(context, text, column, row);
}

function eastWest(value, decimals) {
  const degrees = withoutTurns(value);
  return `${Math.abs(degrees).toFixed(decimals)}° ${degrees < 0 ? "W" : "E"}`;
}

function northSouth(value, decimals) {
  return `${Math.abs(value).toFixed(decimals)}° ${value < 0 ? "S" : "N"}`;
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function halo(context, text, column, row) {
  context.lineWidth = 3.5;
  context.strokeStyle = HALO;
  context.strokeText(text, column, row);
  context.fillStyle = INK;
  context.fillText(text, column, row);
  context.lineWidth = 1;
  context.strokeStyle = "rgba(255, 255, 255, 0.45)";
}

function drawScaleBar(context, view) {
  const metresPerPixel = METRES_PER_DEGREE / view.scale;
  const most = Math.min(140, view.width / 4) * metresPerPixel;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].find((step) => step * power <= most) * power;
  const length = metres / metresPerPixel;
  const right = view.width - 14;
  const base = view.height - 38;
  const text = metres >= 1000 ? `${metres / 1000} km` : `${Number(metres.toPrecision(3))} m`;
  context.fillStyle = INK;
  context.fillRect(right - length - 1, base - 1, length + 2, 7);
  context.fillStyle = "#ffffff";
  context.fillRect(right - length / 2, base, length / 2, 5);
  context.textAlign = "center";
  halo(context, text, right - length / 2, base - 6);
}

function drawReference(context, view) {
  const place = about.reference.lonlat_deg;
  if (place === null) return;
  const [column, row] = view.screen(...view.fromDegrees(...place));
  context.beginPath();
  for (let i = 0; i < 10; i += 1) {
    const radius = i % 2 ? 4.5 : 11;
    const angle = Math.PI * (i / 5 - 0.5);
    context.lineTo(column + radius * Math.cos(angle), row + radius * Math.sin(angle));
  }
  context.closePath();
  context.lineWidth = 2;
  context.strokeStyle = "#ffffff";
  context.stroke();
  context.fillStyle = INK;
  context.fill();
  context.textAlign = "left";
  halo(context, "reference", column + 14, row + 4);
}

function drawRing(context, view, row, dashes) {
  const { places } = view.points;
  const [x, y] = view.screen(places[2 * row], places[2 * row + 1]);
  for (const [colour, width] of [["#ffffff", 5], ["#000000", 2]]) {
    context.beginPath();
    context.arc(x, y, 11, 0, 2 * Math.PI);
    context.setLineDash(dashes);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  context.setLineDash([]);
}

function drawCrosshair(context, view) {
  const x = Math.round(view.width / 2) + 0.5;
  const y = Math.round(view.height / 2) + 0.5;
  for (const [colour, width] of [["#ffffff", 3], ["#000000", 1]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    line(context, x - 12, y, x - 4, y);
    line(context, x + 4, y, x + 12, y);
    line(context, x, y - 12, x, y - 4);
    line(context, x, y + 4, x, y + 12);
  }
}
