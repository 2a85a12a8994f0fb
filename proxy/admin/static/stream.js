// Server-sent events read with fetch: an EventSource cannot send an Authorization field.

import { ask, Refused } from "./api.js";

const SILENCE = 6000;  // ms without a byte, where one event a second is due
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Read events until the stream ends, breaks, or falls silent; `onEvent` gets a name and a document. */
async function read(onEvent) {
  const control = new AbortController();
  let alarm = setTimeout(() => control.abort(), SILENCE);
  try {
    const answer = await ask("events", { signal: control.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(alarm);
      alarm = setTimeout(() => control.abort(), SILENCE);
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const [name, data] = part.split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
        onEvent(name, JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(alarm);
    control.abort();
  }
}

/** Follow the stream for ever; `onLost` gets why it was lost. Ends where the token is refused, with that. */
export async function follow(onEvent, onLost) {
  let pause = FIRST_PAUSE;
  for (;;) {
    let why = "";
    try {
      await read((name, document) => { pause = FIRST_PAUSE; onEvent(name, document); });
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return error;
      if (error instanceof Refused) why = error.message;
    }
    onLost(why);
    await sleep(pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}
