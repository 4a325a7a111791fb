// All rows at once beside the lanes: who runs, what is marked and found, and which part is in sight.

const overview = document.getElementById("overview");
const sight = document.getElementById("sight");

/** How high all rows are drawn: few of them are not stretched. */
function tallness() {
  return Math.min(overview.clientHeight, view.rows.length * ROW);
}

/** What it shows, apart from the part in sight; the same as the last time if nothing of this changed. */
let shown = "";
function drawOverview() {
  const { clientWidth: width, clientHeight: height } = overview;
  const scale = window.devicePixelRatio || 1;
  const key = [width, height, scale, view.rows.length, hits.size, found[0], found.at(-1), isDark].join();
  if (key === shown) return;
  shown = key;
  overview.width = width * scale;
  overview.height = height * scale;
  const pen = overview.getContext("2d");
  pen.scale(scale, scale);
  const rows = view.rows;
  const whole = tallness();
  const tall = Math.max(whole / rows.length, 1);
  const at = (row) => (row / rows.length) * whole;
  for (let row = 0; row < rows.length; row++) {
    const thread = steps.thread[rows[row]];
    pen.fillStyle = colourOf(thread, 0.75);
    pen.fillRect(3 + (thread / data.threads) * (width - 6), at(row), Math.max(2, (width - 6) / data.threads), tall);
  }
  const style = getComputedStyle(document.documentElement);
  const line = (step, colour, thick) => {
    pen.fillStyle = style.getPropertyValue(colour);
    pen.fillRect(0, at(view.row[step]), width, thick);
  };
  hits.forEach((step) => line(step, "--hit", Math.max(tall, 2)));
  marks.forEach((mark, step) => line(step, `--${mark.kind}`, 3));
}

function moveSight() {
  const whole = Math.max(view.rows.length * ROW, 1);
  const tall = tallness();
  const height = Math.min(tall, Math.max(6, (scroller.clientHeight / whole) * tall));
  sight.style.height = `${height}px`;
  sight.style.transform = `translateY(${Math.min((scroller.scrollTop / whole) * tall, tall - height)}px)`;
}

function dragOverview(event) {
  const whole = view.rows.length * ROW;
  const part = (event.clientY - overview.getBoundingClientRect().top) / tallness();
  scroller.scrollTop = part * whole - scroller.clientHeight / 2;
}
overview.addEventListener("pointerdown", (event) => {
  overview.setPointerCapture(event.pointerId);
  dragOverview(event);
});
overview.addEventListener("pointermove", (event) => {
  if (event.buttons) dragOverview(event);
});
