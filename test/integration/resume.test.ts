/** Hosts that are killed at each moment of a turn, with real processes: what the upstream, the ledger and the files saw. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Line, Reserved } from "../../pkg/gateway/ledger-lines.ts";
import { type GatewayHandle, openGateway } from "../../pkg/gateway/money-client.ts";
import { sessionFolder } from "../../pkg/session/session-folder.ts";
import { openStage, type Stage } from "../../pkg/session/testing/stage.ts";
import {
  type AskedRequest,
  openUpstream,
  type Turn,
  type Upstream,
} from "../../pkg/session/testing/upstream.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const budget = { name: "all", uid: "u", daily: { usd: 5 }, timeZone: "UTC", selector: {} };
const bash = (command: string): Turn => ({ call: "bash", input: { command } });
/** Has an effect that can be counted, and can't be undone. */
const effect = (number: number): string => `echo ${number} >> effects.txt`;
const waitForGo = "while [ ! -e ../go ]; do sleep 0.02; done";
const commit = bash("git add -A && git commit -qm 'Have effects'");
const handIn: Turn = {
  call: "request_review",
  input: { summary: "Done.", evidence: [{ criterion: "AC-1", evidence: "effects.txt" }] },
};

interface Scene {
  stage: Stage;
  upstream: Upstream;
  gateway: GatewayHandle;
  id: string;
  ledger(): Line[];
  /** Signals the host itself, or the process that all of it dies with. */
  signal(whom: "host" | "outermost", name: NodeJS.Signals): void;
  /** Waits until `condition` holds. */
  until(condition: () => boolean): Promise<void>;
}

interface Moment {
  name: string;
  /** What the upstream answers to the request in which, or after which, the host is killed; it is asked for turn 2. */
  second: Turn;
  /** Called as soon as the upstream has read that request. */
  onSecond?(scene: Scene): void;
  /** Brings the host to the moment in which it is killed. */
  reach(scene: Scene): Promise<void>;
  /** The turn is paid again. */
  paidAgain: boolean;
  /** What the effects of turn 2 are allowed to be; the model was told that it does not know, or they are exactly once. */
  told: boolean;
}

const moments: Moment[] = [
  {
    name: "while the upstream has given no answer",
    second: { hang: true },
    reach: ({ upstream }) => upstream.asked(2),
    paidAgain: true,
    told: false,
  },
  {
    name: "in the middle of the stream",
    second: { stall: true },
    reach: ({ upstream, until, ledger }) =>
      upstream.asked(2).then(() => until(() => count(ledger(), "sent") === 2)),
    paidAgain: true,
    told: false,
  },
  {
    name: "after the last byte came and before the turn is written down",
    second: bash(effect(2)),
    onSecond: ({ signal }) => signal("host", "SIGSTOP"),
    reach: ({ until, ledger }) => until(() => count(ledger(), "settled") === 2),
    paidAgain: true,
    told: false,
  },
  {
    name: "in a tool call that has had its effect",
    second: bash(`${effect(2)}; sleep 600`),
    reach: ({ until, stage }) => until(() => effectsIn(stage).includes("2")),
    paidAgain: false,
    told: true,
  },
  {
    name: "after a tool call has ended and before its result is written down",
    second: bash(`${effect(2)}; ${waitForGo}; echo ended >> ../ended`),
    async reach({ until, stage, signal }) {
      await until(() => effectsIn(stage).includes("2"));
      signal("host", "SIGSTOP");
      writeFileSync(join(stage.checkout, "../go"), "");
      await until(() => readIfThere(join(stage.checkout, "../ended")) !== "");
    },
    paidAgain: false,
    told: true,
  },
];

test.each(moments)(
  "a host killed $name goes on with the same context, pays at most one turn again and repeats no effect",
  async (moment) => {
    const scene = await openScene(scriptOf(moment), moment);
    const { stage, upstream, id, ledger, signal } = scene;
    const spec = stage.spec({ id, toolTimeoutSeconds: 600 });
    await stage.sessions.start(spec);
    await moment.reach(scene);
    signal("outermost", "SIGKILL");
    await stage.until(id, ({ is }) => is === "absent");
    await stage.sessions.start(spec);
    await stage.until(id, (seen) => seen.is === "absent" && seen.report?.outcome?.kind === "Finished");

    const marked = reservations(ledger()).filter(({ resume }) => resume !== undefined);
    expect(marked).toHaveLength(moment.paidAgain ? 1 : 0);
    for (const { turn, resume, session, run } of marked) {
      const repeated = reservations(ledger()).find((one) => one.id === resume);
      expect(repeated).toMatchObject({ turn, session, run });
      expect(turn).toBe(2);
    }
    expect(reservations(ledger()).map(({ turn }) => turn)).toEqual(
      moment.paidAgain ? [1, 2, 2, 3, 4] : [1, 2, 3, 4],
    );
    expectOneContext(upstream.requests);
    expect(effectsIn(stage)).toEqual(["1", "2"]);
    expect(JSON.stringify(upstream.requests).includes("outcome unknown")).toBe(moment.told);
  },
);

test("a host killed before its request was sent pays for nothing twice", async () => {
  let isKilled = false;
  const scene = await openScene(({ messages }) => {
    // On a busy machine its request is there before the kill, which then finds it waiting.
    if (!isKilled) return { hang: true };
    const turns = messages.filter(({ role }) => role === "assistant").length;
    return [bash(effect(1)), commit, handIn][turns] ?? { say: "?" };
  });
  const { stage, gateway, upstream, id, ledger, signal } = scene;
  // Without Budgets nothing is granted: the request waits in line.
  const spec = stage.spec({ id });
  await gateway.setBudgets([{ ...budget, daily: { usd: 0.000_001 } }]);
  await stage.sessions.start(spec);
  await stage.until(id, (seen) => seen.is === "absent");
  await gateway.setBudgets([budget]);
  await stage.sessions.start(spec);
  signal("outermost", "SIGKILL");
  await stage.until(id, (seen) => seen.is === "absent");
  isKilled = true;
  await stage.sessions.start(spec);
  await stage.until(id, (seen) => seen.is === "absent" && seen.report?.outcome?.kind === "Finished");

  expectOneContext(upstream.requests);
  expect(effectsIn(stage)).toEqual(["1"]);
  const paidAgain = reservations(ledger()).filter(({ resume }) => resume !== undefined);
  expect(paidAgain.length).toBe(upstream.requests.length - 3);
});

/** Turn 1 has an effect, turn 2 is the one in which the host dies, and what follows commits and hands in. */
function scriptOf({ second }: Moment): (request: AskedRequest, index: number) => Turn {
  let isFirst = true;
  return ({ messages }) => {
    const turn = messages.filter(({ role }) => role === "assistant").length + 1;
    if (turn === 1) return bash(effect(1));
    if (turn > 2) return turn === 3 ? commit : handIn;
    const broken = "hang" in second || "stall" in second;
    if (!isFirst && broken) return bash(effect(2));
    isFirst = false;
    return second;
  };
}

async function openScene(
  script: (request: AskedRequest, index: number) => Turn,
  moment?: Moment,
): Promise<Scene> {
  let played = 0;
  const upstream = await openUpstream((request, index) => {
    played += 1;
    if (played === 2) moment?.onSecond?.(scene);
    return script(request, index);
  });
  opened.push(upstream);
  const root = mkdtempSync(join(tmpdir(), "bosun-resume-"));
  opened.push({ close: async () => rmSync(root, { recursive: true, force: true }) });
  const gateway = await openGateway({
    ledgerDirectory: join(root, "ledger"),
    stateDirectory: join(root, "state"),
    socketPath: join(root, "gateway.sock"),
    upstream: { baseUrl: upstream.url, credential: { apiKey: "key" } },
    admitted: [],
  });
  opened.push({ close: () => gateway.stop() });
  await gateway.setBudgets([budget]);
  const stage = await openStage(upstream, { money: gateway });
  opened.push(stage);
  const { id } = stage.spec();
  const scene: Scene = {
    stage,
    upstream,
    gateway,
    id,
    ledger: () =>
      readFileSync(join(root, "ledger", "ledger.jsonl"), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line),
    signal(whom, name) {
      const host = sessionFolder(stage.places.directory, id).readHost();
      if (host?.state !== "running") throw new Error("The session has no host.");
      process.kill(host[whom].pid, name);
    },
    until: (condition) => expect.poll(condition, { interval: 10 }).toBe(true),
  };
  return scene;
}

/**
 * Each request of the session goes on from the one before it: what was asked for again is the same to the byte, and
 * what was asked for next begins with it. The mark for the prompt cache wanders with the end.
 */
function expectOneContext(requests: readonly AskedRequest[]): void {
  const texts = requests.map(({ messages }) =>
    messages.map((message) =>
      JSON.stringify(message, (key, value: unknown) => (key === "cache_control" ? undefined : value)),
    ),
  );
  for (const [index, messages] of texts.entries()) {
    const before = texts[index - 1] ?? [];
    expect(messages.slice(0, before.length)).toEqual(before);
  }
  for (const part of ["model", "system", "tools", "max_tokens"] as const)
    expect(new Set(requests.map((request) => JSON.stringify(request[part]))).size).toBe(1);
}

function reservations(lines: readonly Line[]): (Line & Reserved)[] {
  return lines.filter((line): line is Line & Reserved => line.step === "reserved");
}

function count(lines: readonly Line[], step: Line["step"]): number {
  return lines.filter((line) => line.step === step).length;
}

function effectsIn({ checkout }: Stage): string[] {
  return readIfThere(join(checkout, "effects.txt")).split("\n").slice(0, -1);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Nothing has been written yet.
    return "";
  }
}
