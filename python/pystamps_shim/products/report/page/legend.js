// The colour scale: which value, from where to where.

class Legend {
  constructor(changed) {
    this.changed = changed;
    this.part = (id) => document.getElementById(id);
    this.shown = about.shown[0];
    this.ends = new Map(about.shown.map((one) => [one.name, [one.low, one.high]]));
    const choice = this.part("shown");
    for (const one of about.shown) choice.append(new Option(one.title, one.name));
    choice.addEventListener("change", () => this.choose(choice.value));
    this.part("range").addEventListener("input", () => this.slide());
    for (const id of ["low", "high"]) {
      this.part(id).addEventListener("change", () => this.type(id));
    }
  }

  get low() {
    return this.ends.get(this.shown.name)[0];
  }

  get high() {
    return this.ends.get(this.shown.name)[1];
  }

  choose(name) {
    const found = about.shown.find((one) => one.name === name);
    if (found === undefined) return;
    this.shown = found;
    this.part("shown").value = name;
    this.update(true);
  }

  setEnds(low, high) {
    if (!(low < high)) return;
    this.ends.set(this.shown.name, [low, high]);
    this.update(false);
  }

  // The slider is quadratic: small ranges get as much of it as large ones.
  slide() {
    const share = Math.max(this.part("range").value / 1000, 0.005);
    const { diverging: around, most } = this.shown;
    const base = around ? 0 : this.low;
    const value = Number((base + (most - base) * share * share).toPrecision(3));
    this.setEnds(around ? -value : this.low, value);
  }

  type(id) {
    const value = Number(this.part(id).value);
    // Colours that mean away and towards meet at zero: such a scale has two equal halves.
    if (this.shown.diverging) this.setEnds(-Math.abs(value), Math.abs(value));
    else if (id === "low") this.setEnds(value, this.high);
    else this.setEnds(this.low, value);
    this.update(false);
  }

  update(otherValue) {
    const { title, unit, diverging: around, most } = this.shown;
    this.part("low").value = Number(this.low.toPrecision(6));
    this.part("high").value = Number(this.high.toPrecision(6));
    const base = around ? 0 : this.low;
    const share = Math.sqrt(Math.max(0, (this.high - base) / Math.max(most - base, 1e-9)));
    this.part("range").value = Math.round(1000 * Math.min(share, 1));
    this.part("range").setAttribute("aria-valuetext", `${this.low} to ${this.high} ${unit}`);
    const ways = around ? ` (red: ${about.negative}, blue: ${about.positive})` : "";
    const name = title[0].toUpperCase() + title.slice(1);
    this.part("legend-title").textContent = `${name}${unit ? `, ${unit}` : ""}${ways}`;
    this.drawRamp();
    this.changed(otherValue);
  }

  drawRamp() {
    const canvas = this.part("ramp");
    const context = canvas.getContext("2d");
    const colours = scaleColours(this.shown.diverging);
    const image = context.createImageData(canvas.width, 1);
    for (let i = 0; i < canvas.width; i += 1) {
      const step = Math.floor(i * STEPS / canvas.width);
      image.data.set(colours.subarray(4 * step, 4 * step + 4), 4 * i);
    }
    context.putImageData(image, 0, 0);
    const ticks = this.part("ramp-ticks");
    ticks.replaceChildren();
    const step = roundStep((this.high - this.low) / 5);
    const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    for (let k = Math.ceil(this.low / step - 1e-6); k * step <= this.high + 1e-6 * step; k += 1) {
      const tick = document.createElement("span");
      tick.textContent = written(k * step, decimals);
      const share = (k * step - this.low) / (this.high - this.low);
      tick.style.left = `${100 * share}%`;
      tick.className = share < 0.03 ? "first" : share > 0.97 ? "last" : "";
      ticks.append(tick);
    }
  }
}
