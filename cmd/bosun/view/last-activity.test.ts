import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Agent } from "../../../pkg/api/generated.ts";
import { temporaryWorkspace } from "../testing/operator.ts";
import { withLastActivity } from "./last-activity.ts";

const told = "2026-11-26T12:00:00Z";
const agent = (id: string): Agent =>
  ({ metadata: { name: id }, status: { session: { id, lastActivityTime: told } } }) as Agent;

test("an agent at work is shown with what its session did last: it seemed to have done nothing for minutes", () => {
  const folder = temporaryWorkspace();
  const report = (id: string, text: string): void => {
    mkdirSync(path.join(folder.sessions, id), { recursive: true });
    writeFileSync(path.join(folder.sessions, id, "report.json"), text);
  };
  report("works", JSON.stringify({ lastActivityMs: Date.parse("2026-11-26T12:03:20Z") }));
  report("older", JSON.stringify({ lastActivityMs: Date.parse("2026-11-26T11:00:00Z") }));
  report("torn", "{");
  const agents = ["works", "older", "torn", "none"].map(agent);
  expect(withLastActivity(agents, folder).map(({ status }) => status?.session?.lastActivityTime)).toEqual([
    "2026-11-26T12:03:20Z",
    ...[told, told, told],
  ]);
  rmSync(folder.repository, { recursive: true });
});
