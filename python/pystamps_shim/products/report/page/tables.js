// Numbers of the page as text for other programs, made in the browser.

// A difference of neighbouring numbers must not depend on the reader's language: points, no commas.
function plain(value, decimals) {
  return Number.isFinite(value) ? String(Number(value.toFixed(decimals))) : "";
}

function commentLines(lines) {
  return [...about.about_csv, ...lines].map((each) => `# ${each}\n`).join("");
}

function seriesCsv(points, selection) {
  const { row, values, second, secondValues, difference } = selection;
  const place = (each) => writtenPlace(points.longitude[each], points.latitude[each]);
  const name = (each) => `PS ${valueOf(points, "ps", each)} at ${place(each)}`;
  const lines = [name(row), `rounded to ${about.step_mm} mm`];
  const heads = ["date", "displacement_mm"];
  if (second >= 0) {
    lines.push(`second: ${name(second)}`);
    heads.push("second_mm", "difference_mm");
  }
  const rows = about.dates.map((date, k) => {
    const cells = [values[k], ...(second >= 0 ? [secondValues[k], difference[k]] : [])];
    return [date, ...cells.map((value) => plain(value, 3))].join(",");
  });
  return `${commentLines(lines)}${heads.join(",")}\n${rows.join("\n")}\n`;
}

// In parts: half a million lines as one string would stop the page.
function pointsCsv(points) {
  const columns = about.columns.map(({ name, per_unit: perUnit }) => {
    return { name, decimals: Math.round(Math.log10(perUnit)) };
  });
  const parts = [commentLines([]), `${columns.map((each) => each.name).join(",")}\n`];
  let lines = [];
  for (let row = 0; row < points.count; row += 1) {
    lines.push(columns.map(({ name, decimals }) => {
      const value = valueOf(points, name, row);
      return plain(name === "longitude_deg" ? withoutTurns(value) : value, decimals);
    }).join(","));
    if (lines.length === 20000 || row === points.count - 1) {
      parts.push(`${lines.join("\n")}\n`);
      lines = [];
    }
  }
  return parts;
}

function offerDownload(parts, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages opened from a file may lack the clipboard; the old way needs something selected.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
