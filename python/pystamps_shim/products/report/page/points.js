// What is known of every point: columns in their units, and places for the map.

const about = JSON.parse(textOf("about"));

async function readPoints() {
  const columns = {};
  await Promise.all(about.columns.map(async ({ name, per_unit: perUnit }) => {
    const codes = await unpacked(textOf(`column-${name}`), about.count);
    columns[name] = { codes, perUnit };
  }));
  return withPlaces({ count: about.count, columns });
}

function withPlaces(points) {
  const longitude = floats(points.columns.longitude_deg);
  const latitude = floats(points.columns.latitude_deg);
  const [west, east] = ends(longitude);
  const [south, north] = ends(latitude);
  const middle = { lon: (west + east) / 2, lat: (south + north) / 2 };
  const shrink = Math.cos(middle.lat * Math.PI / 180);
  // Degrees of latitude from the middle: equal lengths in both directions.
  const places = new Float32Array(2 * points.count);
  for (let i = 0; i < points.count; i += 1) {
    places[2 * i] = (longitude[i] - middle.lon) * shrink;
    places[2 * i + 1] = latitude[i] - middle.lat;
  }
  const half = { x: (east - west) / 2 * shrink, y: (north - south) / 2 };
  const order = mixedOrder(points.count);
  return { ...points, longitude, latitude, places, middle, shrink, half, order };
}

// All rows, shuffled, always in the same way: the first ones of them lie everywhere.
function mixedOrder(count) {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) order[i] = i;
  let random = 1;
  for (let i = count - 1; i > 0; i -= 1) {
    // A step of xorshift32.
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    const other = (random >>> 0) % (i + 1);
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

function floats({ codes, perUnit }) {
  const values = new Float64Array(codes.length);
  for (let i = 0; i < codes.length; i += 1) {
    values[i] = codes[i] === UNKNOWN ? NaN : codes[i] / perUnit;
  }
  return values;
}

function ends(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// One value; NaN where the page has none.
function valueOf(points, name, row) {
  const column = points.columns[name];
  if (column === undefined || column.codes[row] === UNKNOWN) return NaN;
  return column.codes[row] / column.perUnit;
}

// Numbers as people write them.
function written(value, decimals) {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(decimals);
  const zero = Number(text) === 0;
  return (zero ? text.replace("-", "") : text).replace("-", "−");
}

function withoutTurns(longitude) {
  return ((longitude + 540) % 360) - 180;
}

function writtenPlace(longitude, latitude) {
  const lon = written(withoutTurns(longitude), 6);
  return `latitude ${written(latitude, 6)}°, longitude ${lon}°`;
}
