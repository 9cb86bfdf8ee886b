// y-protocols: an Awareness for each member and one that looks on. A field is set with setLocalStateField, what is to be sent
// is encoded where 'update' says so, and who looks on applies it and listens to 'change'. Prints updates a second of processor
// time, and bytes.
//
//   node awareness.js MEMBERS UPDATES
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";

import { presence } from "./trace.js";

const [members, updates] = process.argv.slice(2).map(Number);
const BATCH = 256;

const cursor = (turn) => ({ x: 12.25 + (turn % 1000), y: 40.5 + (Math.floor(turn / 3) % 700) });

// Microseconds of the processor, those of the collector of garbage with them.
const spent = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

let sent = null;
let told = 0;
const people = Array.from({ length: members }, () => {
  const awareness = new Awareness(new Y.Doc());
  awareness.on("update", ({ added, updated, removed }) => {
    sent = encodeAwarenessUpdate(awareness, added.concat(updated, removed));
  });
  return awareness;
});
const looksOn = new Awareness(new Y.Doc());
looksOn.on("change", ({ updated }) => {
  told += updated.length;
});
for (const awareness of people) {
  awareness.setLocalState(presence());
  applyAwarenessUpdate(looksOn, sent, "bench");
}
const whole = encodeAwarenessUpdate(
  looksOn,
  people.map((awareness) => awareness.clientID),
).length;

function pass(first, count, apart) {
  let [encode, apply, bytes] = [0, 0, 0];
  for (let from = first; from < first + count; from += BATCH) {
    const turns = Array.from({ length: Math.min(BATCH, first + count - from) }, (_, at) => from + at);
    const changes = turns.map(cursor);
    const frames = [];
    const begun = spent();
    turns.forEach((turn, at) => {
      people[turn % members].setLocalStateField("cursor", changes[at]);
      frames.push(sent);
      if (!apart) applyAwarenessUpdate(looksOn, sent, "bench");
    });
    const between = spent();
    if (apart) for (const frame of frames) applyAwarenessUpdate(looksOn, frame, "bench");
    encode += between - begun;
    apply += spent() - between;
    for (const frame of frames) bytes += frame.length;
  }
  return { encode: (count / encode) * 1e6, apply: (count / apply) * 1e6, bytes: bytes / count };
}

pass(0, updates / 2, true);
const before = told;
const apart = pass(updates, updates, true);
if (told - before !== updates) throw new Error(`told of ${told - before} of ${updates} updates`);
const together = pass(2 * updates, updates, false);
const last = JSON.stringify(looksOn.getStates().get(people[(3 * updates - 1) % members].clientID).cursor);
if (last !== JSON.stringify(cursor(3 * updates - 1))) throw new Error(`the last one is seen at ${last}`);
console.log(JSON.stringify({ encode: apart.encode, apply: apart.apply, both: together.encode, bytes: apart.bytes, whole }));
process.exit(0);
