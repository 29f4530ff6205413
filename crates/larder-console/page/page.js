// Shows what the server answers, as text, and says so when it does not answer. Knows no cache by name.

/** How long after an answer the next one is asked for. */
const TICK_MS = 2000;

/** A server that says nothing for so long is away. */
const PATIENCE_MS = 5000;

/** How many invalidations are shown. */
const LOG_LAST = 30;

/** Where this tab keeps its token. No other tab sees it, and it ends with the tab. */
const KEPT = "larder-console-token";

/** Where a link has its token. */
const GIVEN = /^#token=(.+)$/;

/** What the server says of a token that it does not take. */
const REFUSED = [401, 403];

const NUMBER = new Intl.NumberFormat("en");
const PERCENT = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const NOTHING = "–";

const byId = (id) => document.getElementById(id);

/** The server answers, but not with what was asked for. */
class NoAnswer extends Error {
  constructor(status, retryAfter) {
    super(`The server answers ${status}.`);
    this.refused = REFUSED.includes(status);
    this.waitMs = Math.max(TICK_MS, 1000 * (Number(retryAfter) || 0));
  }
}

/** One sitting with one token. The one before it has ended when another begins. */
class Sitting {
  constructor(token) {
    this.token = token;
    this.forget();
  }

  /** What was known may be of a process that has ended. */
  forget() {
    this.catalogue = new Map();
    this.log = [];
    this.loads = 0;
  }

  async asked(what) {
    const answer = await fetch(`api/v1/cache/${what}`, {
      headers: { authorization: `Bearer ${this.token}` },
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw new NoAnswer(answer.status, answer.headers.get("retry-after"));
    return (await answer.json()).data;
  }

  /** Asks only for what can have changed: a server may count requests. */
  async looked() {
    const figures = await this.asked("figures");
    // Loads only grow: another process answers in the place of the one before.
    if (figures.total.loads < this.loads) this.forget();
    this.loads = figures.total.loads;
    if (figures.caches.some(({ name }) => !this.catalogue.has(name))) {
      const rows = await this.asked("catalogue");
      this.catalogue = new Map(rows.map((row) => [row.name, row]));
    }
    const known = this.log[0]?.number ?? 0;
    if (known !== figures.newestInLog || this.log.some((row) => row.position === null)) {
      this.log = await this.asked(`log?last=${LOG_LAST}`);
    }
    return figures;
  }
}

let sitting = null;

async function tick(own) {
  const { figures, fault } = await own.looked().then((figures) => ({ figures }), (fault) => ({ fault }));
  if (own !== sitting) return;
  if (fault?.refused) return refuse("The server does not take this token.");
  if (fault) miss(own, fault);
  else show(figures, own);
  setTimeout(() => seen().then(() => own === sitting && tick(own)), fault?.waitMs ?? TICK_MS);
}

/** What was last known stays, and looks like it. */
function miss(own, fault) {
  own.forget();
  byId("board").dataset.old = "true";
  say("away", `${fault instanceof NoAnswer ? fault.message : "The server does not answer."} Trying again …`);
}

/** A tab that nobody sees asks nothing. */
function seen() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

function begin(token) {
  // Nothing else can be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(token)) return refuse("That is no token.");
  sessionStorage.setItem(KEPT, token);
  byId("admission").hidden = true;
  say("loading", "Loading …");
  sitting = new Sitting(token);
  tick(sitting);
}

function refuse(why) {
  sitting = null;
  sessionStorage.removeItem(KEPT);
  byId("board").hidden = true;
  byId("places").hidden = true;
  byId("admission").hidden = false;
  say("refused", `${why} Open the link that the server prints when it starts, or paste the token of an admin.`);
  byId("token").focus();
}

/** Takes the token out of the address, where it would be seen and kept, and begins with it. */
function admit() {
  const given = GIVEN.exec(location.hash)?.[1];
  if (given) history.replaceState(null, "", location.pathname + location.search);
  const token = given ?? sessionStorage.getItem(KEPT);
  if (token) begin(token);
  else refuse("There is no token yet.");
}

/** Writes only what is new: a screen reader reads what is written. */
function say(state, text) {
  const line = byId("state");
  line.dataset.state = state;
  write(line, text);
}

function write(place, text) {
  if (place.textContent === text) return false;
  place.textContent = text;
  return true;
}

function show({ total, caches, waiting }, { catalogue, log }) {
  say("live", "Live");
  const board = byId("board");
  board.hidden = false;
  byId("places").hidden = false;
  board.dataset.old = "false";
  fill(byId("total"), counts(total));
  byId("waiting").hidden = waiting === 0;
  write(byId("waiting"), `Not everywhere yet: ${NUMBER.format(waiting)} invalidations wait for the shared tier.`);
  showRows("caches", caches.map((cache) => [cache.name, { ...described(catalogue.get(cache.name)), ...counts(cache) }]));
  showRatios(caches);
  showRows("log", log.map((row) => [String(row.number), told(row)]));
  showDates(log);
}

/** The rows are in the order of `caches`. Those that nobody reads step back. */
function showRatios(caches) {
  Array.from(byId("caches").rows, (row, place) => {
    const { hitRatio } = caches[place];
    row.querySelector("meter").value = hitRatio ?? 0;
    row.dataset.read = String(hitRatio !== null);
  });
}

function counts({ hitsMemory, hitsShared, stale, misses, loads, loadErrors, entries, bytes, hitRatio }) {
  return {
    ratio: hitRatio === null ? NOTHING : PERCENT.format(hitRatio),
    hits: NUMBER.format(hitsMemory + hitsShared),
    stale: NUMBER.format(stale),
    misses: NUMBER.format(misses),
    loads: NUMBER.format(loads),
    failed: NUMBER.format(loadErrors),
    entries: entries === 0 ? "0" : `${NUMBER.format(entries)} (${size(bytes)})`,
  };
}

function described(row) {
  if (!row) return { key: "", value: "", lifetime: "" };
  const spans = [
    [row.sliding ? "fresh, from the last read," : "fresh", row.freshSeconds],
    ["stale", row.staleSeconds],
    ["if the source fails", row.failSafeSeconds],
    ["absent", row.negativeSeconds],
  ];
  const lifetime = spans.filter(([, seconds]) => seconds > 0).map(([what, seconds]) => `${what} ${span(seconds)}`);
  return { key: row.key, value: row.value, lifetime: lifetime.join(", ") || "not kept" };
}

function told({ names, namesCount, soft, matched, because, by, position }) {
  const more = namesCount > names.length ? `, and ${NUMBER.format(namesCount - names.length)} more` : "";
  const found = matched === null ? "" : `: ${NUMBER.format(matched)} stored`;
  return {
    what: names.join(", ") + more + found + (soft ? " (stale only)" : ""),
    why: because ?? NOTHING,
    who: by ?? NOTHING,
    // The epoch is long, and the same in all rows unless a shard began anew.
    position: position === null ? "not shared yet" : position.replace(/@([0-9a-f]{6})[0-9a-f]{26}:/g, "@$1…:"),
  };
}

function showDates(log) {
  const today = new Date().toDateString();
  for (const { number, atMs } of log) {
    const date = new Date(atMs);
    const time = byId("log").querySelector(`[data-row="${number}"] time`);
    time.dateTime = date.toISOString();
    const clock = date.toLocaleTimeString("en-GB");
    write(time, date.toDateString() === today ? clock : `${date.toLocaleDateString("en-GB")} ${clock}`);
  }
}

/** The rows of a table in the order of `wanted`, each by its key; rows that stay are changed in place. */
function showRows(id, wanted) {
  const body = byId(id);
  const rows = new Map(Array.from(body.rows, (row) => [row.dataset.row, row]));
  wanted.forEach(([key, texts], place) => {
    const row = rows.get(key) ?? blank(id, key);
    rows.delete(key);
    if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null);
    fill(row, texts);
  });
  rows.forEach((row) => row.remove());
  byId(`no-${id}`).hidden = wanted.length > 0;
  byId(`${id}-scroll`).hidden = wanted.length === 0;
}

function blank(id, key) {
  const template = byId(id === "caches" ? "cache-row" : "log-row");
  const row = template.content.cloneNode(true).querySelector("tr");
  row.dataset.row = key;
  return row;
}

/** Writes each text to its place, and lets those light up that were there before. */
function fill(parent, texts) {
  for (const [name, text] of Object.entries(texts)) {
    const place = parent.querySelector(`[data-figure="${name}"]`);
    const before = place?.textContent;
    if (place && write(place, text) && before) lightUp(place);
  }
}

function lightUp(place) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const colour = getComputedStyle(place).getPropertyValue("--changed");
  place.animate({ backgroundColor: [colour, "transparent"] }, 1500);
}

function span(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60]];
  const [unit, length] = units.find(([, length]) => seconds >= length && seconds % length === 0) ?? ["s", 1];
  return `${NUMBER.format(seconds / length)}\u00a0${unit}`;
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${NUMBER.format(Math.round((bytes / 1024 ** power) * 10) / 10)} ${units[power]}`;
}

write(byId("place"), location.host);
document.title = `Larder · ${location.host}`;
byId("admission").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("token");
  const token = field.value.trim();
  field.value = "";
  if (token) begin(token);
});
addEventListener("hashchange", () => GIVEN.test(location.hash) && admit());
admit();
