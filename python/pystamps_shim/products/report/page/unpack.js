// Packed whole numbers back into arrays; codec.py is the other side.

const UNKNOWN = -2147483648;

function textOf(id) {
  const element = document.getElementById(id);
  return element === null ? null : element.textContent;
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Returns rows of `length` numbers each, one after the other.
async function unpacked(text, length) {
  const bytes = bytesOf(text);
  const planes = bytes[0];
  const subtracted = bytes[1] === 1;
  const raw = await inflated(bytes.subarray(2));
  const count = raw.length / planes;
  const numbers = new Int32Array(count);
  for (let plane = 0; plane < planes; plane += 1) {
    const shift = 8 * plane;
    const first = plane * count;
    for (let i = 0; i < count; i += 1) numbers[i] |= raw[first + i] << shift;
  }
  for (let i = 0; i < count; i += 1) numbers[i] = (numbers[i] >>> 1) ^ -(numbers[i] & 1);
  if (subtracted) addNeighbours(numbers, length);
  return numbers;
}

function addNeighbours(numbers, length) {
  for (let first = 0; first < numbers.length; first += length) {
    for (let i = first + 1; i < first + length; i += 1) {
      numbers[i] = (numbers[i] + numbers[i - 1]) | 0;
    }
  }
}
