// What stands beside the lanes: the selected step with its stack, and tabs with the source, the tasks, the reasons and the
// report. Every text comes into the document as text.

const panel = document.getElementById("panel");
let tab = "source";
let shownFile = -1;

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.filter((child) => child !== null));
  return node;
}

function linkTo(step, text) {
  return element("a", { href: `#step=${step}`, textContent: text });
}

function showStep() {
  const step = chosen.step;
  const mark = marks.get(step);
  const value = valueOf(step);
  const thread = steps.thread[step];
  const name = element("b", { textContent: threadName(thread) });
  name.style.color = colourOf(thread);
  const what = element("p", {}, `step ${step} of ${count}: `, name, " ", element("code", { textContent: actionOf(step) }),
    value ? element("code", { textContent: ` (${value})` }) : null,
    mark ? element("span", { className: `why ${mark.kind}`, textContent: ` ◀ ${mark.why}` }) : null);
  const waiting = [];
  for (let other = 0; other < data.threads; other++) {
    const wait = waitAt(other, step);
    if (wait) waiting.push(element("span", {}, `${threadName(other)} in ${wait[3]} since `, linkTo(Math.max(wait[1] - 1, 0), wait[1] - 1), " "));
  }
  const stack = element("ol", { start: 0 });
  for (const [name, file, line] of data.stacks[steps.stack[step]].calls) {
    const call = element("li", { textContent: data.functions[name] + (line ? ` ${data.files[file].name}:${line}` : "") });
    if (line) call.addEventListener("click", () => { tab = "source"; showTabs(); showSource(file, line); });
    stack.append(call);
  }
  document.getElementById("step").replaceChildren(what, ...(waiting.length ? [element("p", {}, "waiting: ", ...waiting)] : []), stack);
}

/** Where each thread is in a file after the selected step: line to threads. */
function currentLines(file) {
  const lines = new Map();
  const seen = new Set();
  for (let step = chosen.step; step >= 0 && seen.size < data.threads; step--) {
    const thread = steps.thread[step];
    if (seen.has(thread)) continue;
    seen.add(thread);
    const call = callOf(step);
    if (call && call[2] && call[1] === file) lines.set(call[2], [...(lines.get(call[2]) ?? []), thread]);
  }
  return lines;
}

const sources = new Map();
function sourceOf(file) {
  if (sources.has(file)) return sources.get(file);
  const node = element("div", { className: "source" });
  const lines = new Map();
  data.files[file].parts.forEach(([first, text], part) => {
    if (part > 0 || first > 1) node.append(element("div", { className: "gap", textContent: "…" }));
    text.split("\n").forEach((text, index) => {
      const line = element("div", {}, element("i", { textContent: first + index }), text || " ");
      lines.set(first + index, line);
      node.append(line);
    });
  });
  if (!lines.size) node.append("The source is not in this page: it is not below the project, or the page has no room for it.");
  sources.set(file, { node, lines });
  return sources.get(file);
}

function showSource(file, line) {
  const choice = element("select", { ariaLabel: "File" });
  data.files.forEach(({ name }, index) => choice.append(element("option", { value: index, textContent: name })));
  choice.value = file;
  choice.addEventListener("change", () => showSource(Number(choice.value), 0));
  const { node, lines } = sourceOf(file);
  node.querySelectorAll("b").forEach((badge) => badge.remove());
  node.querySelectorAll(".now").forEach((now) => now.classList.remove("now"));
  currentLines(file).forEach((threads, number) => {
    const badge = element("b", { textContent: threads.map((thread) => (thread ? `T${thread}` : "main")).join(" ").slice(0, 9) });
    badge.style.background = colourOf(threads[0]);
    lines.get(number)?.prepend(badge);
  });
  const now = lines.get(line);
  now?.classList.add("now");
  panel.replaceChildren(choice, node);
  shownFile = file;
  if (now) {
    const top = now.offsetTop - panel.offsetTop;
    if (top < panel.scrollTop + 40 || top > panel.scrollTop + panel.clientHeight - 60) panel.scrollTop = top - panel.clientHeight / 3;
  }
}

function depthOf(task) {
  let depth = 0;
  for (let at = task; at !== 0 && depth < 64; at = data.graph.tasks[at].parent) depth++;
  return depth;
}

function showTasks() {
  const nodes = tasksAt(chosen.step).map((now, task) => {
    const { affinity, result, operations, parent, how } = data.graph.tasks[task];
    const begun = task ? `, by ${how} of task ${parent}` : "";
    const list = element("ol", { start: 0 });
    operations.forEach((text, operation) => list.append(element("li", {
      textContent: text,
      className: operation === now.operation ? "now" : now.done.has(operation) ? "done" : "",
    })));
    const node = element("div", { className: `task ${now.kind}` }, element("span", { className: "state", textContent: now.state }),
      element("b", { textContent: `task ${task}` }), ` ${affinity} ${result}${begun}`, list);
    node.style.marginLeft = `${depthOf(task) * 18}px`;
    return node;
  });
  panel.replaceChildren(...nodes);
}

function showReasons() {
  const nodes = data.reasons.map(([title, text, step]) => element("div", {}, element("h2", { textContent: title }),
    step === null ? element("code", { textContent: text }) : element("code", {}, linkTo(step, text))));
  if (data.chances.length) nodes.push(element("h2", { textContent: "Chance of failure along the schedule" }));
  for (const [step, failed, sampled] of data.chances) {
    const row = element("div", { className: "chance" }, element("span", { textContent: `step ${step}` }),
      element("meter", { max: sampled, value: failed }), element("span", { textContent: `${failed} of ${sampled}` }));
    row.addEventListener("click", () => choose(Math.min(step, count - 1)));
    nodes.push(row);
  }
  panel.replaceChildren(...nodes);
}

function showReport() {
  const facts = element("pre", { textContent: data.facts.map(([name, value]) => `${name.padEnd(12)} ${value}`).join("\n") });
  panel.replaceChildren(element("h2", { textContent: "Case" }), facts, element("h2", { textContent: "Report" }),
    element("pre", { textContent: data.report || "none" }));
}

function showPanel() {
  if (tab === "tasks") showTasks();
  else if (tab === "reasons") showReasons();
  else if (tab === "report") showReport();
  else {
    const call = count ? callOf(chosen.step) : null;
    if (call && call[2]) showSource(call[1], call[2]);
    else if (data.files.length) showSource(Math.max(shownFile, 0), 0);
    else panel.replaceChildren("The steps name no lines: the program was built without debug information.");
  }
}

function showTabs() {
  const names = [["source", "Source"], ...(data.graph ? [["tasks", "Tasks"]] : []), ["reasons", "Why"], ["report", "Report"]];
  document.getElementById("tabs").replaceChildren(...names.map(([name, text]) => {
    const button = element("button", { type: "button", textContent: text, role: "tab", ariaSelected: name === tab });
    button.addEventListener("click", () => { tab = name; showTabs(); showPanel(); panel.scrollTop = 0; });
    return button;
  }));
}
