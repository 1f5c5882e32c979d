// Words and elements. Text from the data only ever becomes text: nothing here takes HTML.

const SVG = "http://www.w3.org/2000/svg";
const VERDICTS = {
  __proto__: null,
  dropped: "dropped",
  rejected: "rejected",
  lost: "lost between points",
  "left-host": "left the host",
  delivered: "delivered",
  "not-observable": "not observable",
};
const BAD = ["dropped", "rejected", "lost"];
const FIN = 1, SYN = 2, RST = 4, ACK = 16;

/** Make an element: attributes, then children, which are texts or elements. */
function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, item] of Object.entries(attributes)) {
    if (item === null || item === undefined || item === false) continue;
    if (key === "on") for (const [event, act] of Object.entries(item)) element.addEventListener(event, act);
    else element.setAttribute(key, item === true ? "" : item);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]];

/** A time at an axis: as a duration, without zeros that say nothing. */
function tick(ns) {
  return ns ? duration(ns).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ") : "0";
}

/** Three significant digits, with a unit. */
function duration(ns) {
  if (ns === null || ns === undefined) return "";
  for (const [size, unit] of UNITS) {
    const amount = Math.abs(ns / size);
    if (amount >= 0.9995) return `${(ns / size).toFixed(amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

/** Seconds since the first frame, exactly. */
function since(ns) {
  if (ns === null || ns === undefined) return "";
  const whole = BigInt(Math.round(Math.abs(ns)));
  return `${ns < 0 ? "-" : "+"}${whole / 1000000000n}.${String(whole % 1000000000n).padStart(9, "0")}`;
}

function count(number) {
  return number.toLocaleString("en-US").replaceAll(",", "\u2009");
}

function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : word.endsWith("s") ? "es" : "s"}`;
}

function end(ip, port) {
  if (ip === null) return "";
  if (port === null || port === undefined) return ip;
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** An address by the name of whoever has it. */
function named(ip, port) {
  const party = partyOf.get(ip);
  const name = party !== undefined && party.kind !== "host" && party.kind !== "gateway" ? party.name : ip;
  return name === ip ? end(ip, port) : port === null || port === undefined ? name : `${name}:${port}`;
}

function clip(text, letters) {
  return text.length > letters ? `${text.slice(0, Math.max(letters - 1, 1))}…` : text;
}

const pen = document.createElement("canvas").getContext("2d");
const FAMILY = getComputedStyle(document.body).fontFamily;
const widths = new Map();

/** How wide a text is, px. */
function wide(text, size = 11, weight = 400) {
  const key = `${size} ${weight} ${text}`;
  if (!widths.has(key)) {
    if (widths.size > 20_000) widths.clear();
    pen.font = `${weight} ${size}px ${FAMILY}`;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

/** As much of a text as fits a width. */
function fit(text, width, size = 11, weight = 400) {
  if (wide(text, size, weight) <= width) return text;
  let [low, high] = [1, text.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (wide(clip(text, middle), size, weight) <= width) low = middle;
    else high = middle - 1;
  }
  return clip(text, low);
}

function frameText(frames) {
  const run = frames.length > 1 && frames.at(-1) - frames[0] === frames.length - 1;
  return run ? `${frames[0]}-${frames.at(-1)}` : frames.join(",");
}

function median(numbers) {
  if (!numbers.length) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** A Wireshark display filter for frames, and the file that it is for. */
function displayFilters(pointName, frames) {
  const point = pointOf.get(pointName);
  const files = new Map();
  for (const frame of frames) {
    let [file, number] = [point.file, frame];
    for (const piece of point.pieces ?? []) {
      file = piece.file;
      if (number <= piece.frames) break;
      number -= piece.frames;
    }
    files.set(file, [...(files.get(file) ?? []), number]);
  }
  return [...files].map(([file, numbers]) => ({ file, filter: numbers.map((n) => `frame.number == ${n}`).join(" || ") }));
}

/** Put text into the clipboard; tell whether it is there. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { readonly: true, "aria-hidden": "true", class: "offscreen" }, text);
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** A button that copies what a function gives. */
function copyButton(text, what, word = "Copy") {
  const button = el("button", { type: "button", class: "copy", "aria-label": word === "Copy" ? `Copy ${what}` : null }, word);
  button.addEventListener("click", async () => {
    const done = await copied(text());
    button.textContent = done ? "✓ Copied" : "Not copied";
    button.classList.toggle("done", done);
    say(done ? `${what} copied` : `${what} not copied`);
    setTimeout(() => {
      button.textContent = word;
      button.classList.remove("done");
    }, 2000);
  });
  return button;
}

/** Tell those who listen to the page. */
function say(text) {
  document.getElementById("said").textContent = text;
}
