// Niceties only: the page reads the same without them.
"use strict";

// The value under the pointer: curves are read back from their own paths.
function points(path, frame) {
  const [left, right, bottom, top] = frame;
  return path.getAttribute("d").slice(1).split("L").map((pair) => {
    const [x, y] = pair.split(" ").map(Number);
    return { at: x / 1000, x: left + (x / 1000) * (right - left), y: top - (y / 1000) * (top - bottom) };
  });
}

function readable(value) {
  return Number(value.toPrecision(4)).toLocaleString("en");
}

function watch(plot) {
  const frame = plot.dataset.frame.split(" ").map(Number);
  const curves = [...plot.querySelectorAll(".line")].map((path) => ({ name: path.dataset.name, points: points(path, frame) }));
  const cursor = plot.appendChild(document.createElement("span"));
  const readout = plot.appendChild(document.createElement("span"));
  cursor.className = "cursor";
  readout.className = "readout";
  cursor.hidden = readout.hidden = true;
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const at = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const near = curves.map((curve) => ({
      name: curve.name,
      ...curve.points.reduce((a, b) => (Math.abs(b.at - at) < Math.abs(a.at - at) ? b : a)),
    }));
    readout.textContent = [`${readable(near[0].x)} ${plot.dataset.unit}`, ...near.map((p) => `${p.name}  ${readable(p.y)}`)].join("\n");
    cursor.style.left = `${near[0].at * 100}%`;
    readout.style.left = near[0].at < 0.5 ? `calc(${near[0].at * 100}% + 8px)` : "auto";
    readout.style.right = near[0].at < 0.5 ? "auto" : `calc(${(1 - near[0].at) * 100}% + 8px)`;
    cursor.hidden = readout.hidden = false;
  });
  plot.addEventListener("pointerleave", () => { cursor.hidden = readout.hidden = true; });
}

document.querySelectorAll(".plot").forEach(watch);

// A button beside the command, where the browser lets a page copy.
if (navigator.clipboard) {
  document.querySelectorAll(".command").forEach((block) => {
    const text = block.textContent;
    const button = block.appendChild(document.createElement("button"));
    button.textContent = "Copy";
    button.addEventListener("click", () => navigator.clipboard.writeText(text).then(() => { button.textContent = "Copied"; }));
  });
}
