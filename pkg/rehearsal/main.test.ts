import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rehearsal-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("the process says its url, plays a folder's scenarios, logs requests and ends with its stdin", async () => {
  await writeFile(
    join(folder, "hello.yaml"),
    "scenario: hello\nabout: says hello\nmatch: {}\nsteps: [{ step: say, text: Hello there }]\n",
  );
  const log = join(folder, "requests.jsonl");
  const child = spawn(process.execPath, [main, "--scenarios", folder, "--log", log], { stdio: "pipe" });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };

  const client = new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0 });
  const answer = await client.messages.create({
    model: "claude-sonnet-5-5",
    max_tokens: 100,
    messages: [{ role: "user", content: "Hi" }],
  });
  child.stdin.end();
  const [code] = await once(child, "exit");

  expect(answer.content).toMatchObject([{ text: "[rehearsal] Hello there" }]);
  expect(code).toBe(0);
  const lines = (await readFile(log, "utf8")).trim().split("\n");
  expect(lines.map((each) => JSON.parse(each))).toMatchObject([
    { ended: "Open", scenario: "hello" },
    { ended: "Complete", message: answer.id, usage: { output: answer.usage.output_tokens } },
  ]);
});

test("a scenario file that can't be played ends the process with the file and the line", async () => {
  await writeFile(join(folder, "bad.yaml"), "scenario: bad\nabout: x\nmatch: {}\nsteps: []\n");
  const child = spawn(process.execPath, [main, "--scenarios", folder], { stdio: "pipe" });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(said).toMatch(/bad\.yaml:4: steps must NOT have fewer than 1 items/);
});
