// What is shown is in the URL's hash, and nowhere else: a link opens the same view.

const DEFAULTS = { view: "journeys", q: "", protocol: "", container: "", verdict: "", nat: "", sort: "", j: null };
const listeners = [];
let state = parseHash();

function parseHash() {
  const found = { ...DEFAULTS };
  const told = new URLSearchParams(location.hash.slice(1));
  for (const key of Object.keys(DEFAULTS)) if (told.has(key)) found[key] = told.get(key);
  found.j = /^\d{1,15}$/.test(found.j ?? "") ? Number(found.j) : null;
  return found;
}

/** The hash of this state with some of it changed. */
function link(change) {
  const told = new URLSearchParams();
  for (const [key, item] of Object.entries({ ...state, ...change })) {
    if (item !== DEFAULTS[key] && item !== null && item !== "") told.set(key, item);
  }
  return `#${told}`;
}

function setState(change, { quietly = false } = {}) {
  const hash = link(change);
  if (hash === location.hash || (hash === "#" && location.hash === "")) return;
  if (quietly) {
    history.replaceState(null, "", hash);
    refresh();
  } else {
    location.hash = hash;
  }
}

function onState(listener) {
  listeners.push(listener);
}

function refresh() {
  const before = state;
  state = parseHash();
  for (const listener of listeners) listener(state, before);
}

addEventListener("hashchange", refresh);
