// Series, unpacked block by block when one is asked for; series_blocks.py is the other side.

const KEPT_BLOCKS = 6;
const DAYS_PER_YEAR = 365.25;
const unpackedBlocks = new Map();

function documentRead() {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((done) => {
    document.addEventListener("DOMContentLoaded", done, { once: true });
  });
}

async function blockOf(number) {
  if (!unpackedBlocks.has(number)) {
    // The last blocks may still be on their way when the first click comes.
    if (textOf(`series-${number}`) === null || textOf(`series-${number + 1}`) === null) {
      await documentRead();
    }
    const length = Math.min(about.block_ps, about.count - number * about.block_ps);
    unpackedBlocks.set(number, unpacked(textOf(`series-${number}`), length));
    if (unpackedBlocks.size > KEPT_BLOCKS) {
      unpackedBlocks.delete(unpackedBlocks.keys().next().value);
    }
  }
  return unpackedBlocks.get(number);
}

// Displacements of a point on every date, mm; NaN where unknown. Null without series.
async function seriesOf(points, row) {
  if (about.blocks === 0) return null;
  const number = Math.floor(row / about.block_ps);
  const codes = await blockOf(number);
  const length = Math.min(about.block_ps, about.count - number * about.block_ps);
  const place = row - number * about.block_ps;
  const found = valueOf(points, "velocity_mm_per_year", row);
  const velocity = Number.isFinite(found) ? found : 0;
  return about.days.map((days, k) => {
    const rest = codes[(1 + k) * length + place];
    if (rest === UNKNOWN) return NaN;
    const steady = Math.floor(velocity * days / DAYS_PER_YEAR / about.step_mm + 0.5);
    return (rest + codes[place] + steady) * about.step_mm;
  });
}

// A line of a given velocity through the middle of a series.
function lineThrough(values, velocity) {
  let count = 0;
  let years = 0;
  let height = 0;
  values.forEach((value, k) => {
    if (!Number.isFinite(value)) return;
    count += 1;
    years += about.days[k] / DAYS_PER_YEAR;
    height += value;
  });
  return { velocity, years: years / count, height: height / count };
}

function lineAt(fitted, days) {
  return fitted.height + fitted.velocity * (days / DAYS_PER_YEAR - fitted.years);
}

// Rate of a difference of two series: least squares, and the standard error of the rate.
function fittedRate(values) {
  const { years, height } = lineThrough(values, 0);
  let square = 0;
  let product = 0;
  const known = values.map((value, k) => [value, about.days[k] / DAYS_PER_YEAR - years])
    .filter(([value]) => Number.isFinite(value));
  for (const [value, offset] of known) {
    square += offset * offset;
    product += offset * (value - height);
  }
  const rate = product / square;
  const rest = known.map(([value, offset]) => (value - height - rate * offset) ** 2);
  const sum = rest.reduce((total, one) => total + one, 0);
  return { rate, error: Math.sqrt(sum / Math.max(known.length - 2, 1) / square) };
}

function decimalsOfStep() {
  return about.step_mm === null || about.step_mm >= 1 ? 0 : 1;
}
