// The selected step, and what changes it: keys, clicks, the search and the address.

const search = document.getElementById("search");
const all = document.getElementById("all");

function choose(step, isByLink = false) {
  if (!count) return;
  chosen.step = Math.min(Math.max(step, 0), count - 1);
  if (view.rows[view.row[chosen.step]] !== chosen.step) {
    all.checked = true;
    listAgain();
  }
  if (!isByLink) history.replaceState(null, "", `#step=${chosen.step}`);
  bringIntoSight(chosen.step);
  showStep();
  if (tab === "source" || tab === "tasks") showPanel();
  drawSoon();
}

function listAgain() {
  list(all.checked || !shared.length ? every : shared);
  measure();
  searchAgain();
}

function byRow(offset) {
  const row = Math.min(Math.max(view.row[chosen.step] + offset, 0), view.rows.length - 1);
  choose(view.rows[row]);
}

/** The next row, in a direction, that is as asked. */
function next(direction, isWanted) {
  for (let row = view.row[chosen.step] + direction; row >= 0 && row < view.rows.length; row += direction) {
    if (isWanted(row, view.rows[row])) return choose(view.rows[row]);
  }
}

function searchAgain() {
  found = find(search.value);
  hits = new Set(found);
  const told = document.getElementById("hits");
  if (!search.value.trim()) told.textContent = "";
  else told.textContent = found.length ? `${found.length} of ${view.rows.length}` : "no step";
  drawSoon();
}

function nextHit(direction) {
  if (!found.length) return;
  const after = found.findIndex((step) => step > chosen.step);
  const before = found.findLastIndex((step) => step < chosen.step);
  choose(direction > 0 ? found[Math.max(after, 0)] : found[before < 0 ? found.length - 1 : before]);
}

const critical = data.marks.find(([, , kind]) => kind === "critical") ?? data.marks.find(([, , kind]) => kind === "race") ?? data.marks[0];
const switchAt = (row) => isSwitch(row);
const sameThread = (_, step) => steps.thread[step] === steps.thread[chosen.step];
const sameObject = (_, step) => steps.object[step] !== 0 && steps.object[step] === steps.object[chosen.step];
const isMarked = (_, step) => marks.has(step);

const KEYS = [
  ["j ↓", "next step", () => byRow(1), ["j", "ArrowDown"]],
  ["k ↑", "step before", () => byRow(-1), ["k", "ArrowUp"]],
  ["n", "next switch", () => next(1, switchAt), ["n"]],
  ["p", "switch before", () => next(-1, switchAt), ["p"]],
  ["t", "next step of this thread", () => next(1, sameThread), ["t"]],
  ["T", "step of this thread before", () => next(-1, sameThread), ["T"]],
  ["o", "next step on this object", () => next(1, sameObject), ["o"]],
  ["O", "step on this object before", () => next(-1, sameObject), ["O"]],
  ["m", "next marked step", () => next(1, isMarked), ["m"]],
  ["M", "marked step before", () => next(-1, isMarked), ["M"]],
  ["c", "critical point, or the race", () => critical && choose(critical[0]), ["c"]],
  ["g G", "first step, last step", null, []],
  ["PageDown", "a page further", () => byRow(Math.floor(scroller.clientHeight / ROW) - 2), ["PageDown"]],
  ["PageUp", "a page back", () => byRow(2 - Math.floor(scroller.clientHeight / ROW)), ["PageUp"]],
  ["/", "search; Enter and Shift+Enter go from hit to hit", () => search.focus(), ["/"]],
  ["a", "all steps, or those that others could notice", () => { all.checked = !all.checked; all.dispatchEvent(new Event("change")); }, ["a"]],
  ["?", "these keys", () => document.getElementById("help").click(), ["?"]],
  ["", "", () => choose(view.rows[0]), ["g", "Home"]],
  ["", "", () => choose(view.rows[view.rows.length - 1]), ["G", "End"]],
];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === search) {
    if (event.key === "Enter") nextHit(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") { search.value = ""; searchAgain(); scroller.focus(); }
    else return;
    return event.preventDefault();
  }
  if (event.target.matches("select, input[type=search]")) return;
  const key = KEYS.find(([, , , keys]) => keys.includes(event.key));
  // Arrows scroll the panel where that has the focus.
  if (!key?.[2] || (panel.contains(event.target) && event.key.length > 1)) return;
  event.preventDefault();
  key[2]();
});

rowsIn.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (row) choose(row.step);
});
scroller.addEventListener("scroll", () => drawSoon(true), { passive: true });
search.addEventListener("input", searchAgain);
all.addEventListener("change", () => {
  listAgain();
  bringIntoSight(chosen.step);
});
document.getElementById("to-switch").addEventListener("click", () => next(1, switchAt));
document.getElementById("to-critical").addEventListener("click", () => choose(critical[0]));
document.getElementById("help").addEventListener("click", (event) => {
  const keys = document.getElementById("keys");
  keys.hidden = !keys.hidden;
  event.target.setAttribute("aria-expanded", !keys.hidden);
  measure();
  drawSoon();
});
const resized = () => { measure(); drawSoon(); };
new ResizeObserver(resized).observe(scroller);
darkness.addEventListener("change", () => {
  isDark = darkness.matches;
  resized();
  showStep();
  showPanel();
});

function stepOfAddress() {
  const step = /^#step=(\d+)$/.exec(location.hash)?.[1];
  return step === undefined ? null : Number(step);
}
window.addEventListener("hashchange", () => {
  const step = stepOfAddress();
  if (step !== null) choose(step, true);
});

function begin() {
  document.title = `${data.verdict}: ${data.name}`;
  document.getElementById("verdict").append(data.verdict, element("small", { textContent: data.name }));
  document.getElementById("failure").textContent = data.failure;
  document.getElementById("end").textContent = `end  ${data.failure}`;
  const notice = document.getElementById("notice");
  notice.textContent = data.notice;
  notice.hidden = !data.notice;
  document.getElementById("to-critical").disabled = !critical;
  if (critical && critical[2] !== "critical") document.getElementById("to-critical").textContent = critical[1];
  document.getElementById("all-text").textContent = `All ${count} steps`;
  all.disabled = !shared.length || shared.length === count;
  KEYS.filter(([name]) => name).forEach(([name, text]) => document.getElementById("keys").append(
    element("dt", { textContent: name }), element("dd", { textContent: text })));
  if (!shared.length || shared.length === count) all.checked = true;
  listAgain();
  showTabs();
  const last = view.rows.length ? view.rows[view.rows.length - 1] : 0;
  choose(stepOfAddress() ?? (critical ? critical[0] : last), true);
  showPanel();
}
begin();
