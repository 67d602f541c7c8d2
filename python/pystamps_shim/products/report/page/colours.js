// Colour scales whose lightness alone tells the value, so that no kind of sight is left out.
// In Oklch: lightness, chroma, hue in degrees.

const STEPS = 256;
const UNKNOWN_COLOUR = [112, 117, 124];

function diverging(share) {
  const side = 2 * share - 1;
  const size = Math.abs(side);
  const chroma = 0.14 * Math.sin(Math.PI * 0.8 * size ** 0.9);
  // Red for negative values, away from the satellite; blue for positive ones.
  return oklch(0.955 - 0.63 * size, chroma, side < 0 ? 34 - 4 * size : 243 + 12 * size);
}

function sequential(share) {
  const chroma = 0.085 + 0.055 * share;
  return oklch(0.28 + 0.66 * share, chroma, 292 - 187 * share);
}

// Colours that no screen can show become paler, not of another hue.
function oklch(lightness, chroma, hue) {
  for (let held = chroma; ; held -= 0.004) {
    const parts = linearParts(lightness, Math.max(held, 0), hue);
    if (held <= 0 || parts.every((part) => part >= 0 && part <= 1)) return parts.map(displayed);
  }
}

function linearParts(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue * Math.PI / 180);
  const b = chroma * Math.sin(hue * Math.PI / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

function displayed(linear) {
  const held = Math.min(Math.max(linear, 0), 1);
  const share = held <= 0.0031308 ? 12.92 * held : 1.055 * held ** (1 / 2.4) - 0.055;
  return Math.round(255 * share);
}

// Red, green, blue, opacity of every step.
function scaleColours(isDiverging) {
  const colours = new Uint8Array(4 * STEPS);
  for (let i = 0; i < STEPS; i += 1) {
    const share = i / (STEPS - 1);
    colours.set([...(isDiverging ? diverging(share) : sequential(share)), 255], 4 * i);
  }
  return colours;
}
