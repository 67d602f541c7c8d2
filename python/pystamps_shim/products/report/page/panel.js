// Beside the map: the selected point, its series, and the comparison with a second one.

class Panel {
  constructor(points) {
    this.points = points;
    this.part = (id) => document.getElementById(id);
    this.selection = null;
    this.turn = 0;
    this.part("replicas").addEventListener("change", () => this.draw());
    this.part("copy").addEventListener("click", () => this.copy());
    for (const id of ["download", "one-series"]) {
      this.part(id).addEventListener("click", () => this.download());
    }
    this.part("one-series").disabled = true;
    for (const id of ["series-choices", "series-actions", "values"]) {
      this.part(id).hidden = about.blocks === 0;
    }
    this.part("one-series").hidden = about.blocks === 0;
    new ResizeObserver(() => this.draw()).observe(this.part("chart"));
  }

  // Shows a point, and its difference to a second one if that is not -1.
  async show(row, second, aloud) {
    this.turn += 1;
    const turn = this.turn;
    const values = await seriesOf(this.points, row);
    const secondValues = second >= 0 ? await seriesOf(this.points, second) : null;
    if (turn !== this.turn) return;
    const difference = secondValues && values.map((value, k) => value - secondValues[k]);
    this.selection = { row, values, second, secondValues, difference };
    this.fill();
    if (aloud) this.part("announcement").textContent = this.spoken();
  }

  get velocity() {
    return valueOf(this.points, "velocity_mm_per_year", this.selection.row);
  }

  get std() {
    return valueOf(this.points, "velocity_std_mm_per_year", this.selection.row);
  }

  // Of a vertical page each point has its own; 0 where its angle is unknown. That of the first
  // point stands for a difference.
  get halfWavelength() {
    if (about.half_wavelength_mm !== null) return about.half_wavelength_mm;
    return valueOf(this.points, "half_wavelength_mm", this.selection.row) || 0;
  }

  // Velocity and its uncertainty: of the point, or of the difference.
  rate() {
    const { difference } = this.selection;
    if (!difference) return { rate: this.velocity, error: this.std };
    return fittedRate(difference);
  }

  fill() {
    const { points, selection } = this;
    const { row, second } = selection;
    const name = (each) => `PS ${valueOf(points, "ps", each)}`;
    const place = (each) => writtenPlace(points.longitude[each], points.latitude[each]);
    const title = second >= 0 ? `${name(row)} less ${name(second)}` : name(row);
    this.part("panel-title").textContent = title;
    this.part("panel-place").textContent = second >= 0
      ? `${place(row)}; second: ${place(second)}` : place(row);
    this.part("panel-body").hidden = false;
    this.part("only").hidden = second < 0;
    this.part("one-series").disabled = false;
    this.part("panel-velocity").textContent = this.rateText();
    this.part("panel-line").textContent = second >= 0 ? "difference, fitted line" : this.wayText();
    const half = written(this.halfWavelength, 1);
    this.part("replicas-text").textContent = `replicas of half a wavelength (±${half} mm)`;
    this.fillFacts();
    this.fillTable();
    this.draw();
  }

  rateText() {
    const { rate, error } = this.rate();
    const spread = Number.isFinite(error) ? ` ± ${written(error, 1)}` : "";
    return `${written(rate, 1)}${spread} mm/yr`;
  }

  wayText() {
    const { rate, error } = this.rate();
    // No direction is claimed for what is within the uncertainty.
    if (!Number.isFinite(rate) || Math.abs(rate) <= (error || 0)) return "";
    return rate < 0 ? about.negative : about.positive;
  }

  spoken() {
    const { points, selection: { row, second } } = this;
    const place = writtenPlace(points.longitude[row], points.latitude[row]);
    const other = second >= 0 ? `, compared with PS ${valueOf(points, "ps", second)}` : "";
    const rate = `${this.rateText()} ${this.wayText()}`;
    return `Selected PS ${valueOf(points, "ps", row)}${other}: ${rate}, at ${place}.`;
  }

  fillFacts() {
    const { points, selection: { row } } = this;
    const facts = [
      ["coherence", "coherence", 3, ""],
      ["height_m", "height", 1, " m"],
      ["rms_mm", "residual (rms)", 1, " mm"],
    ].filter(([name]) => points.columns[name] !== undefined);
    this.part("panel-facts").replaceChildren(...facts.map(([name, title, decimals, unit]) => {
      const pair = document.createElement("div");
      const head = document.createElement("dt");
      const body = document.createElement("dd");
      head.textContent = title;
      body.textContent = `${written(valueOf(points, name, row), decimals)}${unit}`;
      pair.append(head, body);
      return pair;
    }));
  }

  fillTable() {
    const { values, secondValues, difference } = this.selection;
    if (values === null) return;
    const fitted = lineThrough(values, Number.isFinite(this.velocity) ? this.velocity : 0);
    const heads = difference
      ? ["date", "first, mm", "second, mm", "difference, mm"]
      : ["date", "displacement, mm", "line, mm", "residual, mm"];
    const decimals = decimalsOfStep();
    const rows = about.dates.map((date, k) => {
      const level = lineAt(fitted, about.days[k]);
      const cells = difference
        ? [values[k], secondValues[k], difference[k]] : [values[k], level, values[k] - level];
      return [date, ...cells.map((value) => written(value, decimals))];
    });
    const head = document.createElement("thead");
    head.append(tableRow(heads, "th"));
    const body = document.createElement("tbody");
    body.append(...rows.map((cells) => tableRow(cells, "td")));
    this.part("values-table").replaceChildren(head, body);
  }

  draw() {
    if (this.selection === null || this.selection.values === null) return;
    const { values, difference } = this.selection;
    const shown = difference ?? values;
    const { rate, error } = this.rate();
    const kind = difference ? "difference" : "displacement";
    const count = `${kind} on ${about.dates.length} dates`;
    drawChart(this.part("chart"), {
      values: shown,
      line: Number.isFinite(rate) ? lineThrough(shown, rate) : null,
      std: error,
      replica: this.part("replicas").checked ? this.halfWavelength : 0,
      title: `${kind} since ${about.master}, mm (${about.direction})`,
      text: `Chart: ${count}, line of ${this.rateText()}; the values follow as a table`,
    });
  }

  async copy() {
    const done = await copied(seriesCsv(this.points, this.selection));
    this.part("action-answer").textContent = done ? "copied" : "the browser does not allow it";
  }

  download() {
    if (this.selection === null || this.selection.values === null) return;
    const ps = valueOf(this.points, "ps", this.selection.row);
    offerDownload([seriesCsv(this.points, this.selection)], `ps-${ps}.csv`);
    this.part("action-answer").textContent = "";
  }
}

function tableRow(cells, kind) {
  const row = document.createElement("tr");
  row.append(...cells.map((text, place) => {
    const cell = document.createElement(kind);
    cell.textContent = text;
    if (place > 0) cell.className = "n";
    if (kind === "th") cell.scope = "col";
    return cell;
  }));
  return row;
}
