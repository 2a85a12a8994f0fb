// Numbers for people: three digits are enough, the unit is never left out.

export const NONE = "–";
const isNone = (value) => value === null || value === undefined || Number.isNaN(value);

const digits = (value) => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
const plain = (value, most) => value.toLocaleString("en", { maximumFractionDigits: most });

export function count(value) {
  if (isNone(value)) return NONE;
  if (value < 10000) return plain(value, 0);
  if (value < 1e6) return `${plain(value / 1e3, 1)}k`;
  if (value < 1e9) return `${plain(value / 1e6, 2)}M`;
  return `${plain(value / 1e9, 2)}G`;
}

export function rate(value) {
  if (isNone(value)) return NONE;
  return value >= 1000 ? count(Math.round(value)) : plain(value, value >= 10 ? 0 : 1);
}

export function percent(value) {
  if (isNone(value)) return NONE;
  if (value > 0 && value < 0.05) return "<0.1 %";
  return `${value >= 99.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** Milliseconds, as [number, unit]. */
export function latency(value) {
  if (isNone(value)) return [NONE, ""];
  if (value >= 1000) return [plain(value / 1000, digits(value / 1000)), "s"];
  return [plain(value, digits(value)), "ms"];
}

/** Seconds as a duration, as [number, unit]. */
export function span(value) {
  if (isNone(value)) return [NONE, ""];
  if (value < 1 && value > 0) return [plain(value * 1000, 0), "ms"];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (value >= 2 * size) return [plain(value / size, value / size < 10 ? 1 : 0), unit];
  }
  return [plain(value, value < 10 ? 1 : 0), "s"];
}

export const duration = (value) => span(value).join(" ").trim();
export const took = (value) => latency(value).join(" ").trim();

export function bytes(value) {
  if (isNone(value)) return NONE;
  let size = value, unit = 0;
  while (size >= 1024 && unit < 4) { size /= 1024; unit += 1; }
  return `${plain(size, unit ? digits(size) : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

export function ago(seconds, now) {
  const passed = Math.max(0, now - seconds);
  return passed < 1.5 ? "just now" : `${duration(Math.round(passed))} ago`;
}

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");
export const moment = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB");
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
