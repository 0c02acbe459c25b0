// Levels to be played in the page. The rules come with each level as data (`gallery.py` says which); nothing
// here knows a game. The first half is the rules alone, without a page, so that they can be tested.
"use strict";
const Levels = (() => {
  const EDGES = [[0, -1], [1, 0], [0, 1], [-1, 0]];

  // A game at its beginning. x and y are cells; in "run" they are parts of cells, y counted from below.
  function begin(play) {
    const tiles = play.cells.map((row) => [...row].map((digit) => parseInt(digit, 36)));
    const game = { play, height: tiles.length, width: tiles[0].length, things: tiles.flat(), crates: new Set() };
    Object.assign(game, { x: play.start[0], y: play.start[1], leg: 0, taken: 0, turns: 0, over: "", air: 0, speed: 0, holes: new Map() });
    game.health = play.health;
    game.things.forEach((kind, cell) => {
      if (kind === play.pushed) { game.crates.add(cell); game.things[cell] = 1; }
    });
    game.things[game.y * game.width + game.x] = 1;
    if (play.move === "run") {
      game.x *= play.physics.across;
      game.y = (game.height - 1 - game.y) * play.physics.up;
    }
    return game;
  }

  const inside = (game, x, y) => x >= 0 && y >= 0 && x < game.width && y < game.height;

  function blocked(game, x, y) {
    if (!inside(game, x, y)) return true;
    if (game.holes.has(y * game.width + x)) return false;
    const kind = game.things[y * game.width + x];
    const leg = game.play.quest[game.leg];
    return game.play.solid.includes(kind) || Boolean(leg && leg[1].includes(kind));
  }

  // What a cell does to whoever comes to it.
  function enter(game, cell) {
    const { play } = game;
    const kind = game.things[cell];
    if (play.deadly.includes(kind)) game.over = "lost";
    const worth = play.worth.find(([tile]) => tile === kind);
    if (worth) {
      game.health = Math.min(game.health + worth[1], play.health);
      if (game.health <= 0) game.over = "lost";
    }
    if (play.taken.includes(kind)) game.taken += 1;
    if (worth || play.taken.includes(kind)) game.things[cell] = 1;
    if (!game.over && game.leg < play.quest.length && play.quest[game.leg][0] === kind) {
      game.leg += 1;
      if (game.leg === play.quest.length) game.over = "won";
    }
  }

  function walk(game, dx, dy) {
    const [x, y] = [game.x + dx, game.y + dy];
    const to = y * game.width + x;
    if ((!dx && !dy) || blocked(game, x, y)) return;
    if (game.crates.has(to)) {
      const beyond = to + dy * game.width + dx;
      if (blocked(game, x + dx, y + dy) || game.crates.has(beyond)) return;
      game.crates.delete(to);
      game.crates.add(beyond);
      if ([...game.crates].every((cell) => game.things[cell] === game.play.places)) game.over = "won";
    }
    Object.assign(game, { x, y, turns: game.turns + 1 });
    enter(game, to);
  }

  // One action, then a moment of the air: up, hang for a moment, then down.
  function hop(game, dx, dy) {
    if (dy < 0) {
      if (blocked(game, game.x, game.y + 1) && !blocked(game, game.x, game.y - 1)) game.air = game.play.physics.air;
    } else if (dx && !blocked(game, game.x + dx, game.y)) game.x += dx;
    if (game.air > 1) {
      if (blocked(game, game.x, game.y - 1)) game.air = 1;
      else { game.y -= 1; game.air -= 1; }
    } else if (game.air === 1) game.air = 0;
    else if (!blocked(game, game.x, game.y + 1)) game.y += 1;
    game.turns += 1;
    enter(game, game.y * game.width + game.x);
  }

  // Cells that a body of one cell's size touches; those outside of the map are left out.
  function covered(game, x, y) {
    const { across, up } = game.play.physics;
    const cells = new Set();
    for (const row of [Math.floor(y / up), Math.floor((y + up - 1) / up)])
      for (const column of [Math.floor(x / across), Math.floor((x + across - 1) / across)])
        if (inside(game, column, game.height - 1 - row)) cells.add((game.height - 1 - row) * game.width + column);
    return [...cells];
  }

  function fits(game, x, y) {
    const { across, up } = game.play.physics;
    if (x < 0 || x > across * (game.width - 1) || y + up > up * game.height) return false;
    return covered(game, x, y).every((cell) => !game.play.solid.includes(game.things[cell]));
  }

  const stands = (game) => game.y % game.play.physics.up === 0 && game.speed <= 0 && !fits(game, game.x, game.y - 1);

  // One tick: across, then up or down; letting go of the jump ends it.
  function run(game, dx, dy) {
    const { jump, fall } = game.play.physics;
    if (dy < 0 && game.speed === 0 && stands(game)) game.speed = jump;
    else if (dy >= 0 && game.speed > 0) game.speed = 0;
    if (fits(game, game.x + dx, game.y)) game.x += dx;
    if (game.speed > 0 || !stands(game)) {
      const rising = game.speed > 0;
      if (!rising) game.speed = Math.max(game.speed - 1, -fall);
      let left = Math.abs(game.speed);
      while (left && fits(game, game.x, game.y + (rising ? 1 : -1))) { game.y += rising ? 1 : -1; left -= 1; }
      if (left) game.speed = 0;
      else if (rising) game.speed -= 1;
    }
    if (stands(game)) game.speed = 0;
    game.turns += 1;
    const touched = covered(game, game.x, game.y);
    if (game.y < 0 || touched.some((cell) => game.play.deadly.includes(game.things[cell]))) game.over = "lost";
    touched.forEach((cell) => { if (!game.over) enter(game, cell); });
  }

  const at = (game, x, y) => inside(game, x, y) ? game.things[y * game.width + x] : -1;
  const onFoot = (game) => at(game, game.x, game.y + 1) === game.play.climbed || blocked(game, game.x, game.y + 1);
  const held = (game) => [game.play.climbed, game.play.hung].includes(at(game, game.x, game.y)) || onFoot(game);

  // The cell that is dug open on one side; -1 = none. Who digs stands, and not in a hole.
  function dug(game, side) {
    const { play, width } = game;
    const [x, y] = [game.x + side, game.y + 1];
    const free = inside(game, x, y) && ![...play.solid, ...play.deadly].includes(at(game, x, game.y));
    const diggable = at(game, x, y) === play.dug && !game.holes.has(y * width + x);
    return free && diggable && onFoot(game) && !game.holes.has(game.y * width + game.x) ? y * width + x : -1;
  }

  // One tick of running, climbing, hanging, digging and falling; holes close behind the player.
  function climb(game, dx, dy, side) {
    const { play, width } = game;
    const [x, y] = [game.x + dx, game.y + dy];
    const hole = side ? dug(game, side) : -1;
    if (!held(game)) game.y += 1;
    else if (hole >= 0) game.holes.set(hole, play.physics.open + 1);
    else if (!side && !blocked(game, x, y) && (dy >= 0 || at(game, game.x, game.y) === play.climbed)) Object.assign(game, { x, y });
    const here = game.y * width + game.x;
    game.holes.forEach((ticks, cell) => {
      if (ticks > 1 || cell === here) game.holes.set(cell, Math.max(ticks - 1, 0));
      else game.holes.delete(cell);
    });
    game.turns += 1;
    enter(game, here);
  }

  // One turn with keys held: dx is -1, 0 or 1 to the right, dy the same downwards; up jumps. side: digs there.
  function turn(game, dx, dy, side = 0) {
    if (!game.over) ({ walk, hop, run, climb })[game.play.move](game, dx, dy, side);
    return game;
  }

  // What a cell shows.
  const shown = (game, cell) => game.holes.has(cell) ? 1 : game.things[cell];

  // Whether time goes on by itself.
  function restless(game) {
    if (game.over || game.play.move === "walk") return false;
    if (game.play.move === "climb") return !held(game);
    return game.play.move === "run" || game.air > 0 || !blocked(game, game.x, game.y + 1);
  }

  return { EDGES, begin, turn, restless, inside, shown };
})();
if (typeof module !== "undefined") module.exports = Levels;

// The page: one window over it, in which one level after another is played.
if (typeof document !== "undefined") (() => {
  const KEYS = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    a: [-1, 0], d: [1, 0], w: [0, -1], s: [0, 1], " ": [0, -1],
    y: [0, 0, -1], z: [0, 0, -1], x: [0, 0, 1],
  };
  const WIDEST = 30;
  const PACE = { walk: 130, hop: 140, run: 55, climb: 110 };
  let stage = null;

  function make(kind, parent, text = "") {
    const element = parent.appendChild(document.createElement(kind));
    element.textContent = text;
    return element;
  }

  function build() {
    const box = document.body.appendChild(document.createElement("dialog"));
    box.className = "arcade";
    const canvas = make("canvas", box);
    canvas.tabIndex = 0;
    const status = make("p", box);
    status.setAttribute("aria-live", "polite");
    const hint = make("small", box);
    const pads = make("div", box);
    const held = new Map();
    const signs = [["\u2190", "ArrowLeft", "left"], ["\u2191", "ArrowUp", "up"], ["\u2193", "ArrowDown", "down"], ["\u2192", "ArrowRight", "right"]];
    const dig = [["\u2199", "z", "dig left"], ["\u2198", "x", "dig right"]];
    const spades = [...signs, ...dig].map(([sign, key, name]) => {
      const pad = make("button", pads, sign);
      pad.setAttribute("aria-label", name);
      pad.addEventListener("pointerdown", (event) => { event.preventDefault(); press(key); });
      ["pointerup", "pointercancel", "pointerleave"].forEach((name) => pad.addEventListener(name, () => held.delete(key)));
      return pad;
    }).slice(signs.length);
    make("button", pads, "Again (R)").addEventListener("click", reset);
    make("button", pads, "Close (Esc)").addEventListener("click", () => box.close());
    box.addEventListener("close", () => { clearInterval(stage.clock); held.clear(); });
    box.addEventListener("keydown", (event) => {
      if (event.key === "r" || event.key === "R") reset();
      else if (KEYS[event.key] && (event.target === canvas || event.key !== " ")) {
        event.preventDefault();
        if (!event.repeat) press(event.key);
      }
    });
    box.addEventListener("keyup", (event) => held.delete(event.key));
    window.addEventListener("blur", () => held.clear());
    return { box, canvas, status, hint, held, spades, clock: 0 };
  }

  function press(key) {
    stage.held.set(key, true);
    if (stage.game.play.move !== "run") { go(); restart(); }
  }

  // The newest key of each direction counts.
  function go() {
    let [dx, dy, side] = [0, 0, 0];
    for (const key of stage.held.keys()) {
      if (KEYS[key][0]) dx = KEYS[key][0];
      if (KEYS[key][1]) dy = KEYS[key][1];
      if (KEYS[key][2]) side = KEYS[key][2];
    }
    if (["walk", "climb"].includes(stage.game.play.move) && dx && dy) dx = 0;
    if (!dx && !dy && !side && !Levels.restless(stage.game)) return;
    if (stage.game.play.move === "run" && !stage.begun && !stage.held.size) return;
    stage.begun = true;
    Levels.turn(stage.game, dx, dy, side);
    draw();
  }

  function restart() {
    clearInterval(stage.clock);
    stage.clock = setInterval(go, PACE[stage.game.play.move]);
  }

  function reset() {
    stage.game = Levels.begin(stage.game.play);
    stage.begun = false;
    stage.held.clear();
    restart();
    draw();
    stage.canvas.focus();
  }

  function say() {
    const { game } = stage;
    const parts = [{ won: "You made it!", lost: "That went wrong. R begins again." }[game.over] || ""];
    if (game.play.health) parts.push(`${"\u2665".repeat(Math.max(game.health, 0)) || "no hearts"}`);
    if (game.crates.size) parts.push(`${[...game.crates].filter((cell) => game.things[cell] === game.play.places).length} of ${game.crates.size} in place`);
    else if (game.play.taken.length) parts.push(`${game.taken} taken`);
    parts.push(`${game.turns} ${game.play.move === "walk" ? "steps" : "ticks"}`);
    stage.status.textContent = parts.filter(Boolean).join("  \u00b7  ");
    stage.box.dataset.over = game.over;
  }

  // Which of a cell's neighbours are of its group: a bit for each side. Beyond the map lies the border, or more of the same.
  function joins(game, x, y, group) {
    return Levels.EDGES.reduce((bits, [dx, dy], bit) => {
      const there = Levels.inside(game, x + dx, y + dy) ? Levels.shown(game, (y + dy) * game.width + x + dx) : game.play.border;
      return bits | ((there < 0 || game.play.kinds[there][0] === group) << bit);
    }, 0);
  }

  function draw() {
    const { game, canvas, atlas } = stage;
    const { play } = game;
    const pen = canvas.getContext("2d");
    const frame = play.border < 0 ? 0 : 1;
    const [dx, dy] = play.move === "run" ? [play.physics.across, play.physics.up] : [1, 1];
    const px = game.x / dx, py = play.move === "run" ? game.height - 1 - game.y / dy : game.y;
    const left = Math.max(-frame, Math.min(px + 0.5 - stage.wide / 2, game.width + frame - stage.wide));
    const put = (picture, x, y) => {
      if (picture >= 0) pen.drawImage(atlas, picture * play.side, 0, play.side, play.side, Math.round((x - left) * play.side), Math.round((y + frame) * play.side), play.side, play.side);
    };
    pen.imageSmoothingEnabled = false;
    if (play.sky.length) {
      const fill = pen.createLinearGradient(0, 0, 0, canvas.height);
      play.sky.forEach((colour, at) => fill.addColorStop(at / Math.max(play.sky.length - 1, 1), colour));
      pen.fillStyle = fill;
      pen.fillRect(0, 0, canvas.width, canvas.height);
    }
    for (let y = -frame; y < game.height + frame; y += 1) {
      for (let x = Math.floor(left); x < left + stage.wide && x < game.width + frame; x += 1) {
        const cell = y * game.width + x;
        const kind = Levels.inside(game, x, y) ? Levels.shown(game, cell) : play.border;
        const [group, ground, thing] = play.kinds[kind];
        put(ground[joins(game, x, y, group)], x, y);
        if (!Levels.inside(game, x, y)) continue;
        if (game.crates.has(cell)) put(kind === play.places ? play.stored : play.kinds[play.pushed][2], x, y);
        else put(thing, x, y);
      }
    }
    put(play.player, px, py);
    say();
  }

  function open(play) {
    stage = stage || build();
    const game = Levels.begin(play);
    const frame = play.border < 0 ? 0 : 2;
    stage.game = game;
    stage.spades.forEach((pad) => { pad.hidden = play.move !== "climb"; });
    stage.wide = Math.min(game.width + frame, WIDEST);
    stage.canvas.width = stage.wide * play.side;
    stage.canvas.height = (game.height + frame) * play.side;
    // As large as there is room for, in whole pixels where that is more than one.
    const room = Math.min((innerWidth - 48) / stage.canvas.width, (innerHeight - 220) / stage.canvas.height, 4);
    stage.canvas.style.width = `${stage.canvas.width * (room > 1 ? Math.floor(room) : Math.max(room, 0.2))}px`;
    stage.hint.textContent = `${play.hint} R begins again, Esc closes.`;
    stage.atlas = new Image();
    stage.atlas.addEventListener("load", reset);
    stage.box.showModal();
    stage.atlas.src = `data:image/png;base64,${play.atlas}`;
  }

  document.querySelectorAll("[data-play]").forEach((button) => {
    button.hidden = false;
    const start = () => open(JSON.parse(button.dataset.play));
    button.addEventListener("click", start);
    const picture = button.parentElement.querySelector("img");
    if (picture) { picture.style.cursor = "pointer"; picture.addEventListener("click", start); }
  });
})();
