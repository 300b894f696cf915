import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Gateway } from "./gateway.ts";
import type { Line, Reserved } from "./ledger-lines.ts";
import { startTestGateway } from "./testing/gateway.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import { type Answer, helloAnswer, json, startTestUpstream, type TestUpstream } from "./testing/upstream.ts";

let folder: string;
let upstream: TestUpstream;
let gateway: Gateway;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-resume-"));
  upstream = await startTestUpstream();
  gateway = await startGateway();
});

afterEach(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function startGateway(): Promise<Gateway> {
  const started = await startTestGateway({ folder, upstream });
  started.setBudgets([BUDGET]);
  return started;
}

interface Asking {
  turn: number;
  host: string;
  session?: string;
  run?: number;
  answer?: Answer;
}

/** Asks for one turn, as the host of a session does, and reads what comes to its end. @returns the status */
async function ask({ turn, host, session = "s", run = 1, answer = helloAnswer() }: Asking): Promise<number> {
  upstream.answer = answer;
  const headers = { "x-bosun-turn": String(turn), "x-bosun-host": host };
  return post(headers, await gateway.admit({ ...SESSION, session, run }));
}

async function post(
  headers: Record<string, string>,
  { url, token }: { url: string; token: string },
): Promise<number> {
  const messages = [{ role: "user", content: "Hi" }];
  const body = JSON.stringify({ model: "claude-sonnet-5-5", max_tokens: 100, stream: true, messages });
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { ...headers, "x-api-key": token },
    body,
  });
  await response.text().catch(() => "cut");
  return response.status;
}

/** For each reservation, in order: which earlier one (counted from 0) it pays for again, and why. */
async function marks(): Promise<string[]> {
  const text = await readFile(join(folder, "ledger.jsonl"), "utf8");
  const lines = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  const reserved = lines.filter((line): line is Line & Reserved => line.step === "reserved");
  const number = (id: string) => reserved.findIndex((line) => line.id === id);
  return reserved.map(({ resume, again }) => {
    if (resume !== undefined) return `resume of ${number(resume)}`;
    return again === undefined ? "first" : `again for ${number(again)}`;
  });
}

const cut: Answer = (_call, response) => void response.destroy();
const overloaded: Answer = (_call, response) =>
  json(response, 529, { type: "error", error: { type: "overloaded_error", message: "Later." } });

const cases: { name: string; asked: Asking[]; want: string[] }[] = [
  {
    name: "turns that follow each other are paid once",
    asked: [
      { turn: 1, host: "a" },
      { turn: 2, host: "a" },
      { turn: 3, host: "b" },
    ],
    want: ["first", "first", "first"],
  },
  {
    name: "a turn that another host of the session asks for again is a resume",
    asked: [
      { turn: 1, host: "a" },
      { turn: 2, host: "a" },
      { turn: 2, host: "b" },
    ],
    want: ["first", "first", "resume of 1"],
  },
  {
    name: "a turn that the same host asks for again after a lost answer is none",
    asked: [
      { turn: 1, host: "a", answer: cut },
      { turn: 1, host: "a" },
    ],
    want: ["first", "again for 0"],
  },
  {
    name: "what was answered by an error cost nothing, so it is not paid again",
    asked: [
      { turn: 1, host: "a", answer: overloaded },
      { turn: 1, host: "b" },
    ],
    want: ["first", "first"],
  },
  {
    name: "an error in between hides nothing: the turn was paid before it",
    asked: [
      { turn: 1, host: "a" },
      { turn: 1, host: "b", answer: overloaded },
      { turn: 1, host: "b" },
      { turn: 1, host: "b" },
    ],
    want: ["first", "resume of 0", "resume of 0", "again for 2"],
  },
  {
    name: "another session's turn is its own",
    asked: [
      { turn: 1, host: "a", session: "s" },
      { turn: 1, host: "b", session: "t" },
    ],
    want: ["first", "first"],
  },
  {
    name: "another run's turn is its own",
    asked: [
      { turn: 1, host: "a", run: 1 },
      { turn: 1, host: "b", run: 2 },
    ],
    want: ["first", "first"],
  },
];

test.each(cases)("$name, before and after a restart of the gateway", async ({ asked, want }) => {
  const last = asked.at(-1) as Asking;
  for (const one of asked.slice(0, -1)) await ask(one);
  await gateway.stop();
  gateway = await startGateway();
  await ask(last);
  expect(await marks()).toEqual(want);
  const requests = gateway.requests(10).reverse();
  expect(requests.map(({ resume }) => resume !== undefined)).toEqual(
    want.map((mark) => mark.startsWith("resume")),
  );
});

test("the mark goes no further than the gateway", async () => {
  await ask({ turn: 1, host: "a" });
  const names = upstream.calls.flatMap(({ headers }) => Object.keys(headers));
  expect(names.filter((name) => name.startsWith("x-bosun"))).toEqual([]);
});

test.each([
  ["half of a mark", { "x-bosun-turn": "1" }],
  ["a turn that is no number", { "x-bosun-turn": "-1", "x-bosun-host": "a" }],
  ["a host that is no name", { "x-bosun-turn": "1", "x-bosun-host": "a b" }],
])("%s is refused by name, and nothing is reserved", async (_name, headers) => {
  expect(await post(headers as Record<string, string>, await gateway.admit(SESSION))).toBe(400);
  expect(await marks()).toEqual([]);
});

test("a runner that does not count its turns is served without a mark", async () => {
  expect(await post({}, await gateway.admit(SESSION))).toBe(200);
  expect(await marks()).toEqual(["first"]);
});
