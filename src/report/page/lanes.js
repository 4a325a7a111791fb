// The interleaving: a lane for each thread, time downwards. Only the rows in sight are in the document.

const ROW = 22;
const NUMBER = 56;
/** Lanes are at most so far apart, and leave so much for the text of the last; where they would be narrower than the least,
 * each thread has only a rail, and the text stands beside all of them. */
const COLUMN = 240;
const LEAST = 60;
const TEXT = 340;
const RAIL = 14;
const MOST_RAILS = 320;

const scroller = document.getElementById("scroller");
const rowsIn = document.getElementById("rows");
const rails = document.getElementById("rails");
const heads = document.getElementById("threads");
const pool = [];
const chosen = { step: 0 };
/** What was searched for, in order and as a set. */
let found = [];
let hits = new Set();
let layout = { wide: true, step: COLUMN, number: NUMBER };

const darkness = window.matchMedia("(prefers-color-scheme: dark)");
/** Kept, since to ask it anew has the browser lay out all that was changed so far. */
let isDark = darkness.matches;

function colourOf(thread, alpha = 1) {
  const hue = (212 + thread * 137.5) % 360;
  return isDark ? `hsl(${hue} 70% 68% / ${alpha})` : `hsl(${hue} 62% 38% / ${alpha})`;
}

function laneX(thread) {
  return layout.number + (layout.wide ? 10 : layout.step / 2) + thread * layout.step;
}

function textX(thread) {
  return layout.wide ? laneX(thread) + 12 : layout.number + data.threads * layout.step + 6;
}

function measure() {
  const width = scroller.clientWidth;
  const number = width < 500 ? 40 : NUMBER;
  const column = Math.min(COLUMN, (width - number - TEXT) / (data.threads - 1));
  layout = column >= LEAST || data.threads === 1
    ? { wide: true, step: data.threads === 1 ? 0 : column, number }
    : { wide: false, step: Math.min(RAIL, Math.min(MOST_RAILS, width / 3) / data.threads), number };
  // Behind the last row comes one that shows who waits for ever, and how it ended.
  const end = document.getElementById("end");
  end.style.top = `${(view.rows.length + 1) * ROW}px`;
  document.getElementById("spacer").style.height = `${(view.rows.length + 1) * ROW + end.offsetHeight}px`;
  heads.replaceChildren();
  for (let thread = 0; thread < data.threads; thread++) {
    if (!layout.wide && layout.step < 12) break;
    const head = document.createElement("span");
    head.textContent = layout.wide ? threadName(thread) : thread;
    head.style.left = `${laneX(thread) - 4}px`;
    head.style.color = colourOf(thread);
    heads.append(head);
  }
}

function rowNode(index) {
  if (pool[index]) return pool[index];
  const node = document.createElement("div");
  node.className = "row";
  node.setAttribute("role", "option");
  const part = (name) => node.appendChild(Object.assign(document.createElement("span"), { className: name }));
  node.number = part("number");
  const what = part("what");
  const inside = (name) => what.appendChild(Object.assign(document.createElement("span"), { className: name }));
  Object.assign(node, { what, action: inside("action"), value: inside("value"), why: inside("why"), place: inside("place") });
  pool[index] = node;
  rowsIn.append(node);
  return node;
}

function fill(node, row) {
  const step = view.rows[row];
  const thread = steps.thread[step];
  const mark = marks.get(step);
  const value = valueOf(step);
  const place = placeOf(step);
  node.row = row;
  node.step = step;
  node.hidden = false;
  node.id = `step-${step}`;
  node.className = `row${isSwitch(row) ? " switched" : ""}${hits.has(step) ? " hit" : ""}${step === chosen.step ? " chosen" : ""}${mark ? ` ${mark.kind}` : ""}`;
  node.setAttribute("aria-selected", step === chosen.step);
  node.style.top = `${row * ROW}px`;
  node.number.textContent = step;
  node.what.style.left = `${textX(thread)}px`;
  node.what.style.width = `calc(100% - ${textX(thread) + 4}px)`;
  node.place.textContent = place ? `  ${place}` : "";
  node.action.textContent = actionOf(step);
  node.action.style.color = colourOf(thread);
  node.value.textContent = value ? ` (${value})` : "";
  node.why.textContent = mark ? mark.why : "";
  node.why.hidden = !mark;
  node.title = textOf(step);
}

function drawRails(first, last) {
  const height = (last + 1 - first) * ROW;
  const width = layout.wide ? scroller.clientWidth : textX(0);
  const scale = window.devicePixelRatio || 1;
  rails.width = Math.ceil(width * scale);
  rails.height = Math.ceil(height * scale);
  Object.assign(rails.style, { top: `${first * ROW}px`, width: `${width}px`, height: `${height}px` });
  const pen = rails.getContext("2d");
  pen.scale(scale, scale);
  const blocked = getComputedStyle(document.documentElement).getPropertyValue("--blocked");
  for (let thread = 0; thread < data.threads; thread++) {
    const [born, dead] = lives[thread];
    const x = laneX(thread);
    for (let row = first; row < last + (last === view.rows.length); row++) {
      const step = view.rows[row] ?? count;
      if (step < born || step > dead) continue;
      const y = (row - first) * ROW;
      const waits = waitAt(thread, step);
      pen.setLineDash(waits ? [3, 3] : []);
      pen.strokeStyle = waits ? blocked : colourOf(thread, 0.45);
      pen.lineWidth = waits ? 3 : 1.5;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x, y + ROW);
      pen.stroke();
    }
  }
  pen.setLineDash([]);
  for (let row = first; row < last; row++) {
    const thread = steps.thread[view.rows[row]];
    const [x, y] = [laneX(thread), (row - first) * ROW + ROW / 2];
    if (isSwitch(row)) {
      const from = laneX(steps.thread[view.rows[row - 1]]);
      pen.strokeStyle = colourOf(thread, 0.8);
      pen.lineWidth = 1.2;
      pen.beginPath();
      pen.moveTo(from, y - ROW);
      pen.bezierCurveTo(from, y - ROW / 3, x, y - ROW / 1.5, x, y);
      pen.stroke();
    }
    pen.fillStyle = colourOf(thread);
    pen.beginPath();
    pen.arc(x, y, layout.wide || layout.step > 8 ? 4 : 2, 0, 7);
    pen.fill();
  }
}

/** Rows that are drawn before and after those in sight, so that most scrolling draws nothing. */
const AROUND = 16;
let isDue = false;
/** Something other than the place changed since the last time. */
let isStale = true;
const drawn = { first: 0, last: 0 };

function draw() {
  isDue = false;
  moveSight();
  const first = Math.floor(scroller.scrollTop / ROW);
  const last = Math.min(view.rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW));
  if (!isStale && first >= drawn.first && last <= drawn.last) return;
  drawn.first = Math.max(0, first - AROUND);
  drawn.last = Math.min(view.rows.length, last + AROUND);
  // Each row keeps its node while it is drawn, so that only those are filled that come into sight.
  const size = Math.ceil(scroller.clientHeight / ROW) + 2 * AROUND + 2;
  for (let row = drawn.first; row < drawn.last; row++) {
    const node = rowNode(row % size);
    if (isStale || node.row !== row || node.hidden) fill(node, row);
  }
  for (const node of pool) if (node && (node.row < drawn.first || node.row >= drawn.last)) node.hidden = true;
  drawRails(drawn.first, drawn.last);
  if (isStale) drawOverview();
  isStale = false;
  scroller.setAttribute("aria-activedescendant", `step-${chosen.step}`);
}

function drawSoon(isOnlyMoved = false) {
  if (!isDue) requestAnimationFrame(draw);
  isDue = true;
  isStale ||= !isOnlyMoved;
}

function bringIntoSight(step) {
  const top = view.row[step] * ROW;
  const { scrollTop, clientHeight } = scroller;
  if (top < scrollTop + 2 * ROW || top > scrollTop + clientHeight - 3 * ROW) {
    scroller.scrollTop = Math.max(0, top - clientHeight / 3);
  }
}
