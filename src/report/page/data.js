// What the page shows, and questions about it. Nothing here touches the document.

const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps;
const count = steps.thread.length;

/** The call at whose line a step is told: the innermost one of the program's own. */
function callOf(step) {
  const stack = data.stacks[steps.stack[step]];
  return stack.calls[stack.own];
}

function placeOf(step) {
  const call = callOf(step);
  if (!call) return "";
  const [name, file, line] = call;
  return line ? `${data.files[file].name}:${line} ${data.functions[name]}` : data.functions[name];
}

function actionOf(step) {
  const object = data.objects[steps.object[step]];
  return data.kinds[steps.kind[step]] + (object ? ` ${object}` : "");
}

function valueOf(step) {
  return data.notes[steps.note[step]];
}

const marks = new Map(data.marks.map(([step, why, kind]) => [step, { why, kind }]));

function textOf(step) {
  const mark = marks.get(step);
  const value = valueOf(step);
  return `${threadName(steps.thread[step])} ${placeOf(step)}: ${actionOf(step)}${value ? ` (${value})` : ""}${mark ? ` ${mark.why}` : ""}`;
}

function threadName(thread) {
  return thread === 0 ? "main" : `thread ${thread}`;
}

/** First and last step of each thread. */
const lives = Array.from({ length: data.threads }, () => [count, -1]);
steps.thread.forEach((thread, step) => {
  lives[thread][0] = Math.min(lives[thread][0], step);
  lives[thread][1] = step;
});
for (const [thread, , to] of data.waits) lives[thread][1] = Math.max(lives[thread][1], to);

/** What each thread waits in at a step, by thread: `[thread, from, to, what]`, of which `to` is the first step after it. */
const waitsOf = Array.from({ length: data.threads }, () => []);
for (const wait of data.waits) waitsOf[wait[0]].push(wait);

function waitAt(thread, step) {
  const waits = waitsOf[thread];
  let low = 0;
  let high = waits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (waits[middle][1] <= step) low = middle + 1;
    else high = middle;
  }
  const wait = waits[low - 1];
  return wait && step < wait[2] ? wait : null;
}

/** The steps that are listed: all, or those that other threads could notice. */
const shared = [];
for (let step = 0; step < count; step++) if (data.private[step] !== "1") shared.push(step);
const every = Array.from({ length: count }, (_, step) => step);
const view = { rows: shared.length ? shared : every, row: new Int32Array(count) };

function list(rows) {
  view.rows = rows;
  let row = -1;
  let next = 0;
  for (let step = 0; step < count; step++) {
    if (rows[next] === step) row = next++;
    view.row[step] = Math.max(row, 0);
  }
}

function isSwitch(row) {
  return row > 0 && steps.thread[view.rows[row]] !== steps.thread[view.rows[row - 1]];
}

/** The state of each task after a step: `{state, kind, operation, thread}`. */
function tasksAt(step) {
  const tasks = data.graph.tasks.map(() => ({ state: "not begun", kind: "", operation: -1, thread: -1, done: new Set() }));
  for (const [before, task, event, operation, thread, value] of data.graph.events) {
    if (before > step + 1) break;
    const now = tasks[task];
    if (!now) continue;
    const kind = data.graph.kinds[event];
    const text = data.graph.tasks[task].operations[operation];
    if (kind === "frame-made") now.state = "frame made";
    else if (kind === "frame-freed") now.state += ", frame freed";
    else if (kind === "begins") Object.assign(now, { state: `runs on ${threadName(thread)}`, kind: "running", thread });
    else if (kind === "ends") Object.assign(now, { state: `ended with ${value}`, kind: "ended", operation: -1 });
    else if (kind === "fails") Object.assign(now, { state: `failed with ${value}`, kind: "failed", operation: -1 });
    else if (kind === "operation-begins") {
      Object.assign(now, { state: `in ${text}, begun on ${threadName(thread)}`, kind: "waiting", operation, thread });
    } else if (kind === "operation-ends" || kind === "operation-fails") {
      now.done.add(operation);
      const how = kind === "operation-ends" ? "" : `, ${text} failed with ${value}`;
      Object.assign(now, { state: `runs on ${threadName(thread)}${how}`, kind: "running", operation: -1, thread });
    }
  }
  return tasks;
}

/** Rows whose text holds every word. */
function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const known = new Map();
  return view.rows.filter((step) => {
    const mark = marks.get(step);
    // Steps in loops are alike.
    const key = `${steps.thread[step]} ${steps.kind[step]} ${steps.object[step]} ${steps.stack[step]} ${steps.note[step]} ${mark ? step : ""}`;
    let hit = known.get(key);
    if (hit === undefined) {
      const whole = textOf(step).toLowerCase();
      hit = words.every((word) => whole.includes(word));
      known.set(key, hit);
    }
    return hit;
  });
}
