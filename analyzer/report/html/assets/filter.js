// The filter's language: that of `hoptrace analyze -Y`, which is Wireshark's, and words. A test holds for a journey if
// any of its hops passes it; `&&`, `||` and `!` then combine journeys.

const TOKEN = /\s*(==|!=|<=|>=|<|>|&&|\|\||[!(){},]|"[^"]*"|[^\s(){},!=<>&|"]+)/y;
const SAME = { __proto__: null, and: "&&", or: "||", not: "!", eq: "==", ne: "!=", lt: "<", gt: ">", le: "<=", ge: ">=" };
const MOST_DEEP = 100;
const OPERATORS = ["==", "!=", "<", ">", "<=", ">=", "contains", "in"];

class FilterError extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/** An address as a number and how many bits it has; null if it is none. */
function address(text) {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return parts.some((part) => part > 255) ? null : { bits: 32, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return null;
  const [head, tail, more] = text.split("::");
  if (more !== undefined) return null;
  const words = (part) => (part ? part.split(":") : []);
  const [left, right] = [words(head), words(tail)];
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return null;
  const all = [...left, ...Array(missing).fill("0"), ...right];
  if (all.some((word) => !/^[0-9a-f]{1,4}$/i.test(word))) return null;
  return { bits: 128, value: all.reduce((sum, word) => sum * 65536n + BigInt(`0x${word}`), 0n) };
}

function network(text) {
  const [ip, length] = text.split("/");
  const found = address(ip);
  const kept = length === undefined ? found?.bits : Number(length);
  if (found === null || !/^\d{0,3}$/.test(length ?? "") || kept > found.bits) return null;
  const shift = BigInt(found.bits - kept);
  return { bits: found.bits, shift, value: found.value >> shift };
}

const numbers = new Map();
function within(ip, net) {
  if (ip === null) return false;
  if (!numbers.has(ip)) numbers.set(ip, address(ip));
  const one = numbers.get(ip);
  return one !== null && one.bits === net.bits && one.value >> net.shift === net.value;
}

const anyHop = (row, test) => rawHops(row).some(test);
const ends = (names) => (row) => rawHops(row).flatMap((one) => names.map((name) => hop[name](one)));
const flag = (bit) => (row) => [(field.tcp_flags(row) ?? 0) & bit ? 1 : 0];
const container = (row) => containersOf(row);
const text = { read: (value) => value, same: (a, b) => a === b, has: (a, b) => a.toLowerCase().includes(b.toLowerCase()) };
const question = (get) => (row) => (questionIn.has(field.id(row)) ? [get(questionIn.get(field.id(row))) ?? ""] : []);
const number = {
  read: (value) => (/^\d{1,15}$/.test(value) ? Number(value) : null),
  same: (a, b) => a === b,
  ordered: true,
};
const yesNo = { read: (value) => ({ __proto__: null, 0: 0, false: 0, 1: 1, true: 1 })[value.toLowerCase()] ?? null, same: (a, b) => a === b };
const verdictOf = { read: (value) => (value in VERDICTS ? value : null), same: (a, b) => a === b };
const net = { read: network, same: (a, b) => within(a, b) };
const hardware = { read: (value) => (/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value) ? value.toLowerCase().replaceAll("-", ":") : null), same: (a, b) => a === b };
const identity = { read: (value) => number.read(value.replace(/^[cCjJ]/, "")), same: (a, b) => a === b };
const ofProtocol = (name, get) => (row) => (field.protocol(row) === name ? get(row) : []);

/** By field: how its value is read, and what a journey has of it. */
const FIELDS = {
  __proto__: null,
  "ip.addr": [net, ends(["src", "dst"])], "ip.src": [net, ends(["src"])], "ip.dst": [net, ends(["dst"])],
  "ipv6.addr": [net, ends(["src", "dst"])], "ipv6.src": [net, ends(["src"])], "ipv6.dst": [net, ends(["dst"])],
  ...Object.fromEntries(["tcp", "udp"].flatMap((name) => [
    [`${name}.port`, [number, ofProtocol(name, ends(["sport", "dport"]))]],
    [`${name}.srcport`, [number, ofProtocol(name, ends(["sport"]))]],
    [`${name}.dstport`, [number, ofProtocol(name, ends(["dport"]))]],
  ])),
  "tcp.flags.syn": [yesNo, flag(SYN)], "tcp.flags.ack": [yesNo, flag(ACK)], "tcp.flags.fin": [yesNo, flag(FIN)],
  "tcp.flags.reset": [yesNo, flag(RST)], "tcp.flags.push": [yesNo, flag(8)],
  "tcp.len": [number, ofProtocol("tcp", (row) => [field.payload_len(row)])],
  "tcp.analysis.retransmission": [yesNo, (row) => [field.retransmission_of(row) === null ? 0 : 1]],
  "eth.addr": [hardware, ends(["eth_src", "eth_dst"])], "eth.src": [hardware, ends(["eth_src"])], "eth.dst": [hardware, ends(["eth_dst"])],
  "frame.number": [number, (row) => rawHops(row).flatMap((one) => hop.frames(one))],
  "dns.qry.name": [text, question((one) => one.name)], "dns.qry.type": [text, question((one) => one.kind)],
  "dns.flags.rcode": [text, question((one) => one.outcome)],
  says: [text, (row) => [field.says(row) ?? ""]],
  point: [text, (row) => rawHops(row).map(hop.point)], container: [text, container],
  service: [text, (row) => containersOf(row).map((name) => serviceOf.get(name)).filter(Boolean)],
  connection: [identity, (row) => [field.connection(row)]], verdict: [verdictOf, (row) => [field.disposition(row)]],
};
const SPOKEN = { __proto__: null, dhcp: "DHCP", http: "HTTP", ntp: "NTP", quic: "QUIC", ssh: "SSH", tls: "TLS" };
const PROTOCOLS = ["arp", "dns", "icmp", "icmpv6", "igmp", "ip", "ipv6", "sctp", "tcp", "udp", "vlan", ...Object.keys(SPOKEN)];

function containersOf(row) {
  const found = rawHops(row).map((one) => pointOf.get(hop.point(one))?.container);
  for (const name of ["src", "dst"]) for (const one of rawHops(row)) found.push(partyOf.get(hop[name](one))?.kind === "container" ? partyOf.get(hop[name](one)).name : null);
  return [...new Set(found.filter(Boolean))];
}

function isProtocol(row, name) {
  if (name === "ip") return anyHop(row, (one) => hop.src(one) !== null && !hop.src(one).includes(":")) && field.protocol(row) !== "arp";
  if (name === "ipv6") return anyHop(row, (one) => hop.src(one)?.includes(":"));
  if (name === "dns") return questionIn.has(field.id(row));
  if (name in SPOKEN) return (field.says(row) ?? "").startsWith(SPOKEN[name]);
  if (name === "vlan") return anyHop(row, (one) => hop.vlan(one) !== null);
  return field.protocol(row) === name;
}

/** All that words look at, made once a row. */
const searched = new WeakMap();
function searchText(row) {
  if (!searched.has(row)) {
    const parts = [`j${field.id(row)}`, field.summary(row), field.says(row) ?? "", field.retransmission_of(row) === null ? "" : "again", field.disposition(row), verdictName(field.disposition(row))];
    const of = field.connection(row);
    if (of !== null) parts.push(`c${of}`, ...(connectionRows.has(of) ? connection(of).nat.map(natWord) : []));
    for (const one of rawHops(row)) {
      parts.push(hop.point(one), end(hop.src(one), hop.sport(one)), end(hop.dst(one), hop.dport(one)), hop.eth_src(one), hop.eth_dst(one));
    }
    searched.set(row, [...parts, ...containersOf(row)].join(" ").toLowerCase());
  }
  return searched.get(row);
}

function tokens(source) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (source.slice(TOKEN.lastIndex).trim()) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null) throw new FilterError("not understood", from + source.slice(from).search(/\S/));
    found.push({ text: SAME[match[1].toLowerCase()] ?? match[1], at: TOKEN.lastIndex - match[1].length });
  }
  return found;
}

/** Make a test for rows of what was typed; null if nothing was. Throws FilterError. */
function compile(source) {
  const list = tokens(source);
  if (!list.length) return null;
  let [place, depth] = [0, 0];
  const peek = () => list[place]?.text;
  const next = () => {
    if (place >= list.length) throw new FilterError("ends too early", source.length);
    return list[place++];
  };

  function either() {
    const parts = [both()];
    while (peek() === "||") next(), parts.push(both());
    return parts.length === 1 ? parts[0] : (row) => parts.some((test) => test(row));
  }
  function both() {
    const parts = [one()];
    for (;;) {
      if (peek() === "&&") next();
      else if (peek() === undefined || [")", "||"].includes(peek())) break; // words one after the other: all of them
      parts.push(one());
    }
    return parts.length === 1 ? parts[0] : (row) => parts.every((test) => test(row));
  }
  function one() {
    const token = next();
    if (["!", "("].includes(token.text) && ++depth > MOST_DEEP) throw new FilterError("too deep", token.at);
    if (token.text === "!") {
      const test = one();
      return (row) => !test(row);
    }
    if (token.text === "(") {
      const test = either();
      if (peek() !== ")") throw new FilterError("a ) is missing", list[place]?.at ?? source.length);
      next();
      return test;
    }
    if (OPERATORS.includes(token.text) || ["&&", "||", ")"].includes(token.text)) throw new FilterError(`unexpected ${token.text}`, token.at);
    return OPERATORS.includes(peek()?.toLowerCase()) ? compared(token) : bare(token);
  }
  function compared(token) {
    const known = FIELDS[token.text.toLowerCase()];
    if (known === undefined) throw new FilterError(`unknown field ${token.text}`, token.at);
    const operator = next();
    const [kind, get] = known;
    const read = (value) => {
      const wanted = kind.read(value.text.replace(/^"|"$/g, ""));
      if (wanted === null) throw new FilterError(`${token.text} cannot be ${value.text}`, value.at);
      return wanted;
    };
    const word = operator.text.toLowerCase();
    if (word === "in") {
      const several = inBraces(operator).map(read);
      return (row) => get(row).some((item) => several.some((wanted) => kind.same(item, wanted)));
    }
    const wanted = read(next());
    if (word === "contains") {
      if (!kind.has) throw new FilterError(`${token.text} is no text`, operator.at);
      return (row) => get(row).some((item) => item !== null && kind.has(item, wanted));
    }
    if (operator.text === "==") return (row) => get(row).some((item) => kind.same(item, wanted));
    if (operator.text === "!=") return (row) => !get(row).some((item) => kind.same(item, wanted));
    if (!kind.ordered) throw new FilterError(`${token.text} has no order`, operator.at);
    const compare = { "<": (a) => a < wanted, ">": (a) => a > wanted, "<=": (a) => a <= wanted, ">=": (a) => a >= wanted }[operator.text];
    return (row) => get(row).some((item) => item !== null && compare(item));
  }
  function inBraces(operator) {
    const open = next();
    if (open.text !== "{") throw new FilterError("in needs values in braces", open.at);
    const values = [next()];
    for (let token = next(); token.text !== "}"; token = next()) values.push(token.text === "," ? next() : token);
    return values;
  }
  function bare(token) {
    const word = token.text.replace(/^"|"$/g, "").toLowerCase();
    if (PROTOCOLS.includes(word) && !token.text.startsWith('"')) return (row) => isProtocol(row, word);
    const known = FIELDS[word];
    if (!token.text.startsWith('"')) {
      if (/^(in|contains|matches|xor|~|[{},])$/.test(word)) throw new FilterError(`${token.text} is not known here; words in quotes are searched for`, token.at);
      if (known === undefined && /^(arp|dns|eth|frame|icmp|icmpv6|ip|ipv6|tcp|udp)\.[a-z_.]+$/.test(word)) throw new FilterError(`unknown field ${token.text}`, token.at);
    }
    if (known !== undefined) return (row) => known[1](row).some((item) => item !== null && item !== undefined && (known[0] !== yesNo || item === 1));
    return (row) => searchText(row).includes(word);
  }

  const test = either();
  if (place < list.length) throw new FilterError(`unexpected ${list[place].text}`, list[place].at);
  return test;
}

/** The tests that are in force: what was typed, and the span of time; what is wrong stays without effect. */
let filtered = { f: null, t: null, test: null };
let standing = null;
function inForce(now) {
  const t = now.t?.join("-") ?? null;
  if (filtered.f === now.f && filtered.t === t) return filtered.test;
  try {
    standing = compile(now.f);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
  }
  const span = now.t === null ? null : now.t.map((slice, n) => (slice + n) * measures.bin_ns);
  const timely = span === null ? null : (row) => timeOf(row) >= span[0] && timeOf(row) < span[1];
  const test = standing === null ? timely : timely === null ? standing : ((words) => (row) => timely(row) && words(row))(standing);
  filtered = { f: now.f, t, test };
  return test;
}

/** The journeys that pass, as a set of ids; null if all do. */
let passing = { test: null, ids: null };
function passed(now) {
  const test = inForce(now);
  if (passing.test !== test) passing = { test, ids: test === null ? null : new Set(rows.journeys.filter(test).map(field.id)) };
  return passing.ids;
}
