// A place typed as two numbers: the order is chosen, and repeated in the answer.

// Returns {lon, lat} or {fault}.
function typedPlace(text, order) {
  const numbers = text.replace(/°/g, " ").trim().split(/[\s,;]+/).filter((part) => part !== "");
  const lettered = letteredPlace(text);
  if (lettered !== null) return lettered;
  if (numbers.length !== 2 || !numbers.every((part) => /^[-+−]?\d+(\.\d+)?$/.test(part))) {
    return { fault: "Type two decimal numbers, for instance 40.85, 14.25." };
  }
  const [first, second] = numbers.map((part) => Number(part.replace("−", "-")));
  const [lat, lon] = order === "lat" ? [first, second] : [second, first];
  return checkedPlace(lon, lat);
}

// 40.85 N 14.25 E: letters tell which is which.
function letteredPlace(text) {
  const found = [...text.toUpperCase().matchAll(/(\d+(?:\.\d+)?)\s*°?\s*([NSEW])/g)];
  if (found.length !== 2) return null;
  const place = {};
  for (const [, digits, letter] of found) {
    const value = Number(digits) * ("SW".includes(letter) ? -1 : 1);
    place["NS".includes(letter) ? "lat" : "lon"] = value;
  }
  if (place.lat === undefined || place.lon === undefined) return null;
  return checkedPlace(place.lon, place.lat);
}

function checkedPlace(lon, lat) {
  if (Math.abs(lat) > 90) {
    return { fault: `Latitude ${lat}° does not exist: choose the other order.` };
  }
  if (Math.abs(lon) > 360) return { fault: `Longitude ${lon}° does not exist.` };
  return { lon, lat };
}

// The turn of the globe in which the points lie.
function sameTurn(points, lon) {
  return lon + 360 * Math.round((points.middle.lon - lon) / 360);
}

function isInside(points, lon, lat) {
  const across = Math.abs((sameTurn(points, lon) - points.middle.lon) * points.shrink);
  const up = Math.abs(lat - points.middle.lat);
  return across <= points.half.x * 1.1 + 0.01 && up <= points.half.y * 1.1 + 0.01;
}

function listenToSearch(points, go) {
  const part = (id) => document.getElementById(id);
  const place = part("place");
  const example = () => {
    const { lat, lon } = points.middle;
    const [a, b] = [lat, withoutTurns(lon)].map((value) => value.toFixed(3));
    place.placeholder = part("order").value === "lat" ? `${a}, ${b}` : `${b}, ${a}`;
  };
  part("order").addEventListener("change", example);
  example();
  part("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const { lon, lat, fault } = typedPlace(place.value, part("order").value);
    part("search-answer").textContent = fault ?? answerTo(points, lon, lat);
    if (fault === undefined && isInside(points, lon, lat)) go(sameTurn(points, lon), lat);
  });
}

function answerTo(points, lon, lat) {
  const read = `Read as latitude ${lat}°, longitude ${lon}°`;
  if (isInside(points, lon, lat)) return `${read}.`;
  const other = Math.abs(lon) <= 90 && isInside(points, lat, lon);
  return `${read}: outside of the map${other ? "; in the other order it lies inside" : ""}.`;
}
