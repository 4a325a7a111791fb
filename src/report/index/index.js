// The findings, each with its report. Every text comes into the document as text.

const { bugs, unread } = JSON.parse(document.getElementById("data").textContent);

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function fact(name, ...values) {
  return [element("dt", { textContent: name }), element("dd", {}, ...values)];
}

const nodes = bugs.map((bug) => {
  const page = bug.page ? fact("step by step", element("a", { href: `./${encodeURI(bug.page)}`, textContent: bug.page })) : fact("step by step", element("code", { textContent: `threadbare show ${bug.path} --format html --output ${bug.path}.html` }));
  const summary = element("summary", {}, element("b", { textContent: bug.verdict }), element("code", { textContent: bug.place }),
    bug.paths.length > 1 ? `${bug.paths.length} cases` : "", element("span", { textContent: bug.failure }));
  const facts = element("dl", {}, ...fact("fingerprint", bug.fingerprint), ...fact("sanitizer", bug.sanitizer),
    ...fact("replay", element("code", { textContent: `threadbare replay ${bug.path}` })), ...page, ...fact("cases", bug.paths.join(", ")));
  const node = element("details", {}, summary, element("div", {}, facts, element("pre", { textContent: bug.report })));
  node.text = `${bug.verdict} ${bug.place} ${bug.fingerprint} ${bug.report} ${bug.paths.join(" ")}`.toLowerCase();
  return node;
});
const broken = unread.map((why) => element("p", { textContent: `not read: ${why}` }));
document.getElementById("bugs").append(...nodes, ...broken);
document.getElementById("title").textContent = bugs.length === 1 ? "1 bug" : `${bugs.length} bugs`;
if (nodes.length === 1) nodes[0].open = true;

document.getElementById("search").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const node of nodes) node.hidden = !words.every((word) => node.text.includes(word));
});
