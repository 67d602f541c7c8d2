// The same points drawn pixel by pixel, where the browser has no WebGL.

class PlainDrawing {
  constructor(canvas, points) {
    Object.assign(this, { canvas, points, context: canvas.getContext("2d") });
  }

  colour(values, colours) {
    this.values = values;
    this.words = new Uint32Array(colours.buffer.slice(0));
    this.unknown = new Uint32Array(new Uint8Array([...UNKNOWN_COLOUR, 255]).buffer)[0];
  }

  draw(view, low, high, size, ratio, count) {
    const { width, height } = this.canvas;
    const image = this.context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const disc = discOffsets(size * ratio);
    const scale = view.scale * ratio;
    const { places, order } = this.points;
    for (let k = 0; k < count; k += 1) {
      const i = order[k];
      const column = Math.round(width / 2 + (places[2 * i] - view.x) * scale);
      const row = Math.round(height / 2 - (places[2 * i + 1] - view.y) * scale);
      if (column < 0 || row < 0 || column >= width || row >= height) continue;
      stamp(pixels, width, height, column, row, disc, this.word(this.values[i], low, high));
    }
    this.context.putImageData(image, 0, 0);
  }

  word(value, low, high) {
    if (value > 1e29) return this.unknown;
    const share = Math.min(Math.max((value - low) / (high - low), 0), 1);
    return this.words[Math.round(share * (STEPS - 1))];
  }
}

function discOffsets(size) {
  const radius = size / 2;
  const reach = Math.floor(radius);
  const offsets = [];
  for (let row = -reach; row <= reach; row += 1) {
    for (let column = -reach; column <= reach; column += 1) {
      if (column * column + row * row <= radius * radius) offsets.push([column, row]);
    }
  }
  return offsets;
}

function stamp(pixels, width, height, column, row, disc, word) {
  for (const [across, down] of disc) {
    const x = column + across;
    const y = row + down;
    if (x >= 0 && y >= 0 && x < width && y < height) pixels[y * width + x] = word;
  }
}
