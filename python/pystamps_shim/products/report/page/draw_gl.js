// Points drawn by the graphics processor.

const VERTEX = `
attribute vec2 place; attribute float value;
uniform vec2 centre; uniform vec2 scale; uniform vec2 ends; uniform mediump float size;
varying float share;
void main() {
  gl_Position = vec4((place - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
  share = value > 1.0e29 ? -1.0 : clamp((value - ends.x) / (ends.y - ends.x), 0.0, 1.0);
}`;
const FRAGMENT = `
precision mediump float;
varying float share;
uniform sampler2D colours; uniform vec3 unknown; uniform float size;
void main() {
  // Small points are squares; larger ones are discs with a soft edge of one pixel.
  float inside = (0.5 - length(gl_PointCoord - 0.5)) * size + 0.5;
  float cover = size < 3.0 ? 1.0 : clamp(inside, 0.0, 1.0);
  if (cover <= 0.0) discard;
  vec3 known = texture2D(colours, vec2((share * 255.0 + 0.5) / 256.0, 0.5)).rgb;
  gl_FragColor = vec4(share < -0.5 ? unknown : known, 1.0) * cover;
}`;

class GraphicsDrawing {
  // Null where the browser has no WebGL.
  static on(canvas, points) {
    const options = { antialias: false, alpha: true, depth: false, stencil: false };
    const gl = canvas.getContext("webgl", options);
    return gl === null ? null : new GraphicsDrawing(canvas, gl, points);
  }

  constructor(canvas, gl, points) {
    Object.assign(this, { canvas, gl, points });
    this.prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      this.colour(this.values, this.colours);
      requestDraw();
    });
  }

  prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      throw new Error(`WebGL: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    const names = ["centre", "scale", "ends", "size", "unknown", "colours"];
    this.uniform = {};
    for (const name of names) this.uniform[name] = gl.getUniformLocation(program, name);
    this.attach(program, "place", 2, this.mixed(this.points.places, 2));
    this.valueBuffer = this.attach(program, "value", 1, new Float32Array(this.points.count));
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
      gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE);
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.uniform3fv(this.uniform.unknown, UNKNOWN_COLOUR.map((part) => part / 255));
  }

  mixed(values, size) {
    const { order, count } = this.points;
    const found = new Float32Array(values.length);
    for (let i = 0; i < count; i += 1) {
      for (let k = 0; k < size; k += 1) found[size * i + k] = values[size * order[i] + k];
    }
    return found;
  }

  attach(program, name, size, data) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
    return buffer;
  }

  colour(values, colours) {
    const { gl } = this;
    Object.assign(this, { values, colours });
    gl.bindBuffer(gl.ARRAY_BUFFER, this.valueBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.mixed(values, 1), gl.STATIC_DRAW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, STEPS, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, colours);
  }

  // The first `count` points in mixed order.
  draw(view, low, high, size, ratio, count) {
    const { gl, uniform } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniform.centre, view.x, view.y);
    gl.uniform2f(uniform.scale, 2 * view.scale / view.width, 2 * view.scale / view.height);
    gl.uniform2f(uniform.ends, low, high);
    gl.uniform1f(uniform.size, size * ratio);
    if (size * ratio < 3) gl.disable(gl.BLEND);
    else gl.enable(gl.BLEND);
    gl.drawArrays(gl.POINTS, 0, count);
  }
}
