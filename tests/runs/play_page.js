// A page in miniature for play.js: elements that remember what was done to them, and a canvas that keeps what was drawn.
// Input (JSON): { script, play, keys }. Output: where each picture was put in the last drawing, and what was said.
const { script, play, keys } = JSON.parse(require("fs").readFileSync(0, "utf8"));
let puts = [];

class Element {
  constructor(kind) { Object.assign(this, { kind, children: [], handlers: {}, dataset: {}, style: {}, textContent: "", hidden: true }); }
  appendChild(child) { this.children.push(child); child.parentElement = this; return child; }
  setAttribute() {}
  focus() {}
  showModal() { this.shown = true; }
  close() { this.shown = false; this.fire("close", {}); }
  addEventListener(name, act) { (this.handlers[name] = this.handlers[name] || []).push(act); }
  fire(name, event) { (this.handlers[name] || []).forEach((act) => act({ preventDefault() {}, target: this, ...event })); }
  querySelector() { return null; }
  getContext() {
    const fill = { addColorStop() {} };
    return { createLinearGradient: () => fill, fillRect() { puts = []; }, drawImage: (_, from, top, w, h, x, y) => puts.push([from / w, x, y]) };
  }
}

const figure = new Element("figure");
const button = figure.appendChild(new Element("button"));
button.dataset.play = JSON.stringify(play);
global.document = { body: new Element("body"), createElement: (kind) => new Element(kind), querySelectorAll: () => [button] };
global.window = new Element("window");
global.innerWidth = 1200;
global.innerHeight = 900;
global.setInterval = () => 0;
global.Image = class extends Element { set src(data) { this.data = data; this.fire("load", {}); } };
require(script);
button.fire("click", {});
const box = document.body.children[0];
const [canvas, status] = box.children;
const first = puts;
for (const key of keys) {
  puts = [];
  box.fire("keydown", { key, target: canvas });
  box.fire("keyup", { key });
}
const [said, last] = [status.textContent, puts];
puts = [];
box.fire("keydown", { key: "r", target: canvas });
console.log(JSON.stringify({
  first, last, said, again: status.textContent, over: box.dataset.over, shown: box.shown, hidden: button.hidden,
  size: [canvas.width, canvas.height], pads: box.children[3].children.length,
}));
