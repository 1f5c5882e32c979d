// Words and elements. Text from the data only ever becomes text: nothing here takes HTML.

const SVG = "http://www.w3.org/2000/svg";
const VERDICTS = {
  delivered: ["D", "delivered"],
  "left-host": ["O", "left the host"],
  rejected: ["R", "rejected"],
  dropped: ["X", "dropped"],
  lost: ["L", "lost between points"],
  "not-observable": ["?", "not observable"],
};
const BAD = ["rejected", "dropped", "lost"];

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
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function duration(ns) {
  if (ns === null || ns === undefined) return "";
  for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
    const amount = ns / size;
    if (Math.abs(amount) >= 1) {
      return `${amount.toFixed(Math.abs(amount) < 10 ? 2 : Math.abs(amount) < 100 ? 1 : 0)} ${unit}`;
    }
  }
  return `${ns} ns`;
}

function since(ns) {
  if (ns === null || ns === undefined) return "";
  const whole = BigInt(Math.round(Math.abs(ns)));
  return `${ns < 0 ? "-" : "+"}${whole / 1000000000n}.${String(whole % 1000000000n).padStart(9, "0")}`;
}

function count(number) {
  return number.toLocaleString("en-US");
}

function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

function end(ip, port) {
  if (ip === null) return "";
  if (port === null || port === undefined) return ip;
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function tuple(one) {
  const id = one.icmp_id !== null ? ` id ${one.icmp_id}` : "";
  return `${end(one.src, one.sport)} → ${end(one.dst, one.dport)}${id}`;
}

function frameText(frames) {
  const run = frames.length > 1 && frames.at(-1) - frames[0] === frames.length - 1;
  return run ? `${frames[0]}-${frames.at(-1)}` : frames.join(",");
}

/** A verdict: its letter on its colour, and the word. */
function badge(verdict, short = false) {
  const [letter, word] = VERDICTS[verdict];
  const mark = el("b", { class: `letter v-${verdict}`, title: word }, letter);
  return short ? mark : el("span", { class: "badge" }, mark, ` ${word}`);
}

function journeyLink(id, text = `J${id}`) {
  return journeyRows.has(id) ? el("a", { href: link({ j: id }) }, text) : el("span", { title: "not in this page" }, text);
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

/** A button that copies text. */
function copyButton(text, label) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      const area = el("textarea", { readonly: true, "aria-hidden": "true", class: "offscreen" }, text);
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}
