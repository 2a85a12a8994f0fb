// Elements whose text is always text: nothing here can make markup out of what a user wrote.

export const byId = (id) => document.getElementById(id);

/** Make an element. Names of `about` are attributes, but for `class`, `text` and `on` (listeners by event). */
export function make(tag, about = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "on") for (const [event, hear] of Object.entries(value)) node.addEventListener(event, hear);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set text only where it changed: what somebody has selected stays selected. */
export function say(node, text) {
  const wanted = String(text ?? "");
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function mark(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Let `parent` have one child per item, in their order; a child stays the same element as long as its key is there. */
export function keyed(parent, items, keyOf, begin, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let node = before.get(key);
    if (node) before.delete(key);
    else { node = begin(item); node.dataset.key = key; }
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of before.values()) node.remove();
}

export const badge = (tone, text) => make("span", { class: "badge", "data-tone": tone, text });

const SVG = "http://www.w3.org/2000/svg";

/** A line without axes: `values` with null for gaps; from 0 to the largest, or to `top`. */
export function sparkline() {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", "spark");
  node.setAttribute("viewBox", "0 0 100 20");
  node.setAttribute("preserveAspectRatio", "none");
  node.setAttribute("aria-hidden", "true");
  const under = document.createElementNS(SVG, "path");
  under.setAttribute("class", "under");
  const line = document.createElementNS(SVG, "path");
  node.append(under, line);
  return node;
}

export function draw(spark, values, most, top) {
  const highest = top ?? Math.max(...values.map((value) => value ?? 0), 0);
  spark.classList.toggle("is-flat", !values.some((value) => value > 0));
  const step = 100 / Math.max(1, most - 1);
  const left = 100 - step * (values.length - 1);
  let path = "", under = "", start = null, last = null;
  values.forEach((value, index) => {
    if (value === null || value === undefined) {
      if (start !== null) under += `L${last} 20L${start} 20Z`;
      start = null;
      return;
    }
    const x = (left + step * index).toFixed(2);
    const y = (highest ? 19 - 18 * Math.min(1, value / highest) : 19).toFixed(2);
    path += `${start === null ? "M" : "L"}${x} ${y}`;
    under += `${start === null ? "M" : "L"}${x} ${y}`;
    start ??= x;
    last = x;
  });
  if (start !== null) under += `L${last} 20L${start} 20Z`;
  spark.children[0].setAttribute("d", under);
  spark.children[1].setAttribute("d", path);
}
