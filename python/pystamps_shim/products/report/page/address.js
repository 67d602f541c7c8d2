// The address keeps view and selection, so that a link shows the same again.

function addressOf(view, legend, state, points) {
  const [lon, lat] = view.toDegrees(view.x, view.y);
  const kept = {
    lon: withoutTurns(lon).toFixed(7), lat: lat.toFixed(7), zoom: view.zoom.toPrecision(5),
    value: legend.shown.name, low: legend.low, high: legend.high,
  };
  if (state.selected >= 0) kept.ps = valueOf(points, "ps", state.selected);
  if (state.second >= 0) kept.second = valueOf(points, "ps", state.second);
  return `#${new URLSearchParams(kept)}`;
}

// Null where the address is that of a section, or empty.
function addressRead() {
  if (!location.hash.includes("=")) return null;
  const kept = new URLSearchParams(location.hash.slice(1));
  const number = (name) => (kept.has(name) ? Number(kept.get(name)) : NaN);
  return {
    lon: number("lon"), lat: number("lat"), zoom: number("zoom"), value: kept.get("value"),
    low: number("low"), high: number("high"), ps: number("ps"), second: number("second"),
    renderer: kept.get("renderer"),
  };
}

function writeAddress(text) {
  try {
    history.replaceState(null, "", text);
  } catch {
    // A browser may refuse in a frame; the page works without.
  }
}
