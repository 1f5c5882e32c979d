// The field in which filters are typed: what is wrong and where, and what could come next, with what it would keep.

const MOST_OFFERED = 9;

/** What could stand at the end of what was typed: [text, packets that it would keep]. */
function offers(source) {
  const value = /(?:^|[\s(!&|])([a-z0-9.]+)\s*(==|!=)\s*("?)([^\s"()]*)$/i.exec(source);
  if (value !== null && FIELDS[value[1].toLowerCase()] !== undefined) {
    const before = source.slice(0, source.length - value[4].length - value[3].length);
    return ranked(valuesOf(value[1].toLowerCase()), value[4]).map(([text, n]) => [before + quoted(text), n, text]);
  }
  const word = /(^|[\s(!&|])([a-z0-9.]*)$/i.exec(source);
  if (word === null) return [];
  const before = source.slice(0, source.length - word[2].length);
  const known = [...PROTOCOLS, ...Object.keys(FIELDS)].filter((name) => name.startsWith(word[2].toLowerCase()) && name !== word[2]);
  const told = known.map((name) => [before + name, keeps(name), name]).filter(([, n]) => n);
  return told.sort((a, b) => b[1] - a[1]).slice(0, MOST_OFFERED);
}

const kept = new Map();
function keeps(name) {
  if (!kept.has(name)) kept.set(name, rows.journeys.filter(compile(name)).length);
  return kept.get(name);
}

function quoted(text) {
  return /^[\w.:/-]+$/.test(text) ? text : `"${text}"`;
}

function valuesOf(name) {
  const counts = new Map();
  for (const row of rows.journeys) {
    for (const item of new Set(FIELDS[name][1](row))) if (item !== null && item !== undefined) counts.set(item, (counts.get(item) ?? 0) + 1);
  }
  return counts;
}

function ranked(counts, typed) {
  const fitting = [...counts].map(([item, n]) => [String(item), n]).filter(([text]) => text.toLowerCase().startsWith(typed.toLowerCase()) && text !== typed);
  return fitting.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_OFFERED);
}

const filterField = (() => {
  const input = el("input", {
    type: "text", id: "filter", role: "combobox", "aria-label": "Filter", "aria-expanded": "false", "aria-controls": "offers", "aria-autocomplete": "list",
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "Filter, e.g. ip.addr == 172.17.0.2 && tcp.flags.reset",
  });
  const counted = el("output", { class: "count" });
  const list = el("ul", { id: "offers", role: "listbox", "aria-label": "Completions", hidden: true });
  const wrong = el("p", { id: "wrong", class: "wrong", role: "status", hidden: true });
  const form = el("form", { class: "filter", role: "search", "aria-label": "Filter" }, input, counted, el("kbd", { "aria-hidden": "true" }, "/"), el("div", { class: "under" }, wrong, list));
  let at = -1;

  function close() {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function offer() {
    const told = offers(input.value);
    list.replaceChildren(...told.map(([text, n, shown], k) => el("li", { id: `offer${k}`, role: "option", "aria-selected": "false", "data-text": text, on: { mousedown: (event) => (event.preventDefault(), take(text)) } }, el("code", {}, shown), el("span", { class: "number" }, count(n)))));
    list.hidden = !told.length;
    at = -1;
    input.setAttribute("aria-expanded", String(told.length > 0));
  }

  function take(text) {
    input.value = text;
    typed();
  }

  function check() {
    let told = "";
    try {
      compile(input.value);
    } catch (error) {
      told = `at character ${error.at + 1}: ${error.message}${standing === null ? "" : "; what was understood before still holds"}`;
    }
    wrong.textContent = told;
    wrong.hidden = !told;
    input.setAttribute("aria-invalid", String(Boolean(told)));
  }

  function typed() {
    check();
    go({ f: input.value }, { quietly: true });
    offer();
  }

  function move(step) {
    if (list.hidden) return offer();
    at = (at + step + list.children.length) % list.children.length;
    [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
    input.setAttribute("aria-activedescendant", `offer${at}`);
  }

  input.addEventListener("input", typed);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" || (event.key === "Tab" && at >= 0)) {
      event.preventDefault();
      if (at >= 0) take(list.children[at].dataset.text);
      else {
        close();
        history.pushState(null, "", location.hash || "#");
      }
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (!list.hidden) close();
      else if (input.value) go({ f: "" });
      else input.blur();
    }
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  function show(now) {
    if (input.value !== now.f) {
      input.value = now.f;
      check();
    }
    const ids = passed(now);
    counted.textContent = ids === null ? "" : `${count(ids.size)} of ${count(rows.journeys.length)}`;
  }
  return { form, input, show };
})();

/** Put a test into the filter, or take it out again; `more` adds to what is there. */
function toggleTest(test, more) {
  const parts = state.f.split(/\s*&&\s*/).filter(Boolean);
  if (parts.includes(test)) return go({ f: parts.filter((part) => part !== test).join(" && ") });
  go({ f: more && state.f ? `${state.f} && ${test}` : test });
}
