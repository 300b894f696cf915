import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { heldMs, refuseHeld } from "./lock-holder.ts";
import type { Holder } from "./lock-terms.ts";

const nowMs = 1_764_000_000_000;
const words = { name: "An operator", place: "this workspace", advice: "Stop it." };

/** What may be where the holder listens. */
const sockets = {
  "no socket": () => undefined,
  "a socket that nobody listens at": (file: string) => writeFileSync(file, ""),
  "a socket that somebody listens at": async (file: string) => {
    const server = createServer();
    server.listen(file);
    onTestFinished(() => void server.close());
    await once(server, "listening");
  },
  "a socket that can't be asked": (file: string) => symlinkSync(path.basename(file), file),
};
type Socket = keyof typeof sockets;

const me = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? "" };
const here = { ...me, place: pidSpace(), term: 1, heartbeatMs: nowMs - 3_600_000 };
const [machine = ""] = pidSpace().split(" ");

/** The last that held it, and whether it holds where nobody is found at its socket. */
const holders: readonly { what: string; holder: Holder | undefined; holds: boolean; beats?: true }[] = [
  { what: "nobody", holder: undefined, holds: false },
  { what: "one that lives here, silent for an hour", holder: here, holds: true },
  { what: "one that lives here and let go", holder: { ...here, isReleased: true }, holds: false },
  { what: "one whose number is another process's", holder: { ...here, startTime: "then" }, holds: false },
  {
    what: "one of before this machine was started anew",
    holder: { ...here, place: `${machine} boot-before 1`, heartbeatMs: nowMs },
    holds: machine === "-",
  },
  ...[
    { silentMs: heldMs - 1, holds: true },
    { silentMs: heldMs, holds: false },
  ].map(({ silentMs, holds }) => ({
    what: `one of elsewhere, silent for ${silentMs} ms`,
    holder: { ...here, place: "- another-kernel 1", heartbeatMs: nowMs - silentMs },
    holds,
  })),
  {
    what: "one of elsewhere whose clock is behind",
    holder: { ...here, place: "- another-kernel 1" },
    holds: true,
    beats: true,
  },
  {
    what: "one of elsewhere that let go",
    holder: { ...here, place: "- another-kernel 1", heartbeatMs: nowMs, isReleased: true },
    holds: false,
  },
];

const rows = holders.flatMap((row) =>
  (Object.keys(sockets) as Socket[]).map((socket) => ({ ...row, socket })),
);

test.each(rows)("$what held it last, with $socket", async ({ holder, holds, beats, socket }) => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-holder-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "operator.sock");
  await sockets[socket](file);
  let heartbeatMs = holder?.heartbeatMs ?? 0;
  let elapsedMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    elapsed: () => elapsedMs,
    async sleep(ms) {
      elapsedMs += ms;
      if (beats) heartbeatMs += ms;
    },
  };
  const terms = {
    newest: () => (holder === undefined ? 0 : 7),
    holder: () => (holder === undefined ? undefined : { ...holder, heartbeatMs }),
  };
  // What does not say that nobody is there is somebody.
  const isThere = socket === "a socket that somebody listens at" || socket === "a socket that can't be asked";
  const answer = refuseHeld({ terms, socket: file, clock }, words);
  if (isThere || holds) await expect(answer).rejects.toThrow("An operator");
  else expect(await answer).toBe(holder === undefined ? 0 : 7);
});
