// The page's data: rows over one table of texts, made into objects when somebody looks at them.

async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const began = performance.now();
const place = document.getElementById("data");
const data = await inflate(place.textContent);
place.remove();

/** Fields of each kind of row: name to place and how the value is told. */
const fields = Object.fromEntries(
  Object.entries(data.fields).map(([kind, list]) => [
    kind,
    new Map(list.map(([name, how], index) => [name, { index, how }])),
  ]),
);

function value(item, how) {
  if (item === null || item === undefined) return null;
  if (how === "number") return item;
  if (how === "text") return data.texts[item];
  if (how.startsWith("[")) return item.map((one) => value(one, how.slice(1)));
  return unpack(how, item);
}

/** Make an object of a row. */
function unpack(kind, row) {
  const found = {};
  for (const [name, { index, how }] of fields[kind]) found[name] = value(row[index], how);
  return found;
}

/** Return a function that reads one field of a row, without making an object. */
function reader(kind, name) {
  const field = fields[kind]?.get(name);
  return field === undefined ? () => null : (row) => value(row[field.index], field.how);
}

const rows = data.rows;
const points = rows.points.map((row) => unpack("Point", row));
const pointOf = new Map(points.map((point) => [point.name, point]));
const journeyRows = new Map(rows.journeys.map((row) => [row[0], row]));
const connectionRows = new Map(rows.connections.map((row) => [row[0], row]));
const measures = unpack("Measures", rows.measures);

/** Journeys are looked at again and again: those that were made are kept. */
const made = new Map();
function journey(id) {
  if (!made.has(id)) {
    if (!journeyRows.has(id)) return null;
    if (made.size > 2000) made.clear();
    made.set(id, unpack("ToldJourney", journeyRows.get(id)));
  }
  return made.get(id);
}

function connection(id) {
  return id !== null && connectionRows.has(id) ? unpack("Connection", connectionRows.get(id)) : null;
}
