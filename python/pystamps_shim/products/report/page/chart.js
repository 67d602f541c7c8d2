// The chart of one series, drawn as SVG at the size of its place.

const SVG = "http://www.w3.org/2000/svg";
const FRAME = { left: 46, right: 12, top: 26, bottom: 30 };
const DAY_MS = 86400000;

function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// `shown`: values, line, std (NaN for none), replica (mm, 0 for none), title, text.
function drawChart(container, shown) {
  const width = Math.max(260, container.clientWidth);
  const height = Math.round(Math.min(330, Math.max(220, width * 0.58)));
  const svg = shape("svg", {
    viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": shown.text,
  });
  const axes = chartAxes(shown, width, height);
  svg.append(...timeTicks(axes), ...heightTicks(axes));
  svg.append(shape("text", { x: 2, y: 13, class: "name" }, shown.title));
  if (shown.line !== null) {
    const lines = shape("g", { "clip-path": "url(#plot)" });
    lines.append(...lineShapes(axes, shown));
    svg.append(plotArea(width, height), lines);
  }
  svg.append(...dots(axes, shown));
  container.replaceChildren(svg);
}

// An uncertain line may leave the chart; it must not cover the words around it.
function plotArea(width, height) {
  const area = shape("clipPath", { id: "plot" });
  area.append(shape("rect", {
    x: FRAME.left, y: FRAME.top, width: width - FRAME.left - FRAME.right,
    height: height - FRAME.top - FRAME.bottom,
  }));
  return area;
}

function chartAxes(shown, width, height) {
  const first = about.days[0];
  const last = about.days[about.days.length - 1];
  const margin = Math.max((last - first) * 0.03, 5);
  const known = shown.values.filter(Number.isFinite);
  if (shown.line !== null) known.push(lineAt(shown.line, first), lineAt(shown.line, last));
  let low = Math.min(...known, 0) - shown.replica;
  let high = Math.max(...known, 0) + shown.replica;
  const room = Math.max((high - low) * 0.08, 1);
  low -= room;
  high += room;
  const across = (width - FRAME.left - FRAME.right) / (last - first + 2 * margin);
  const up = (height - FRAME.top - FRAME.bottom) / (high - low);
  return {
    width, height, first: first - margin, last: last + margin, low, high,
    x: (days) => FRAME.left + (days - first + margin) * across,
    y: (value) => height - FRAME.bottom - (value - low) * up,
  };
}

function heightTicks(axes) {
  const step = roundStep((axes.high - axes.low) / 5);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const parts = [];
  for (let k = Math.ceil(axes.low / step); k * step <= axes.high; k += 1) {
    const y = axes.y(k * step).toFixed(1);
    const right = axes.width - FRAME.right;
    const kind = k === 0 ? "grid zero" : "grid";
    parts.push(shape("line", { x1: FRAME.left, x2: right, y1: y, y2: y, class: kind }));
    const text = written(k * step, decimals);
    parts.push(shape("text", { x: FRAME.left - 6, y: Number(y) + 4, class: "up" }, text));
  }
  return parts;
}

function timeTicks(axes) {
  const master = Date.parse(about.master);
  const from = new Date(master + axes.first * DAY_MS);
  const to = new Date(master + axes.last * DAY_MS);
  const months = (axes.last - axes.first) / 30.44;
  const most = (axes.width - FRAME.left - FRAME.right) / 66;
  const step = [1, 2, 3, 6, 12, 24, 60, 120, 240].find((each) => months / each <= most) ?? 480;
  const parts = [];
  // In months of the common era: Date.UTC takes the years 0 to 99 for 1900 to 1999.
  const start = Math.floor(from.getUTCFullYear() * 12 / step) * step;
  for (let k = start; ; k += step) {
    const date = Date.UTC(Math.floor(k / 12), k % 12, 1);
    if (date > to.getTime()) return parts;
    if (date < from.getTime()) continue;
    const x = axes.x((date - master) / DAY_MS).toFixed(1);
    const base = axes.height - FRAME.bottom;
    parts.push(shape("line", { x1: x, x2: x, y1: FRAME.top, y2: base, class: "grid" }));
    const text = new Date(date).toISOString().slice(0, step < 12 ? 7 : 4);
    const held = Math.min(Math.max(Number(x), FRAME.left + 14), axes.width - 26);
    parts.push(shape("text", { x: held, y: base + 18, class: "across" }, text));
  }
}

function lineShapes(axes, shown) {
  const { line: fitted, std } = shown;
  const ends = [axes.first, axes.last];
  const parts = [];
  if (Number.isFinite(std)) {
    const edge = (sign, days) => {
      const turned = { ...fitted, velocity: fitted.velocity + sign * std };
      return `${axes.x(days).toFixed(1)},${axes.y(lineAt(turned, days)).toFixed(1)}`;
    };
    const [a, b] = ends;
    const centre = [axes.x(fitted.years * DAYS_PER_YEAR), axes.y(fitted.height)];
    const middle = centre.map((part) => part.toFixed(1)).join(",");
    // Two triangles that meet where the line is known best.
    for (const days of [a, b]) {
      const corners = `${edge(1, days)} ${edge(-1, days)} ${middle}`;
      parts.push(shape("polygon", { points: corners, class: "spread" }));
    }
  }
  for (const offset of shown.replica ? [-shown.replica, 0, shown.replica] : [0]) {
    const [y1, y2] = ends.map((days) => axes.y(lineAt(fitted, days) + offset).toFixed(1));
    const kind = offset === 0 ? "fit" : "fit replica";
    const [x1, x2] = ends.map((days) => axes.x(days).toFixed(1));
    parts.push(shape("line", { x1, x2, y1, y2, class: kind }));
  }
  return parts;
}

function dots(axes, shown) {
  const parts = [];
  for (const offset of shown.replica ? [-shown.replica, shown.replica, 0] : [0]) {
    shown.values.forEach((value, k) => {
      if (!Number.isFinite(value)) return;
      const dot = shape("circle", {
        cx: axes.x(about.days[k]).toFixed(1), cy: axes.y(value + offset).toFixed(1), r: 3.2,
        class: offset === 0 ? "dot" : "dot replica",
      });
      const text = `${about.dates[k]}: ${written(value + offset, decimalsOfStep())} mm`;
      dot.append(shape("title", {}, text));
      parts.push(dot);
    });
  }
  return parts;
}
