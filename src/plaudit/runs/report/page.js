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

// Music is played from the notes that a score embeds, where the browser has a synthesiser.
const Audio = window.AudioContext || window.webkitAudioContext;
let playing = null;

function stop() {
  if (!playing) return;
  playing.button.textContent = "Play";
  clearTimeout(playing.timer);
  playing.context.close();
  playing = null;
}

function sound(context, out, [start, length, pitch]) {
  const tone = context.createOscillator();
  const gain = context.createGain();
  const begin = context.currentTime + 0.06 + start;
  tone.type = "triangle";
  tone.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(1, begin + 0.012);
  gain.gain.exponentialRampToValueAtTime(0.25, begin + Math.max(0.03, length * 0.8));
  gain.gain.linearRampToValueAtTime(0, begin + length + 0.02);
  tone.connect(gain).connect(out);
  tone.start(begin);
  tone.stop(begin + length + 0.05);
}

function play(button) {
  const again = playing && playing.button === button;
  stop();
  if (again) return;
  const notes = JSON.parse(button.dataset.notes);
  const context = new Audio();
  const out = context.createGain();
  out.gain.value = 0.22;
  out.connect(context.destination);
  notes.forEach((note) => sound(context, out, note));
  const end = Math.max(...notes.map(([start, length]) => start + length));
  playing = { button, context, timer: setTimeout(stop, (end + 0.3) * 1000) };
  button.textContent = "Stop";
}

if (Audio) {
  document.querySelectorAll("[data-notes]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => play(button));
  });
}
