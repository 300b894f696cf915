/** People's files while the operator runs: what is valid counts at once, what is not changes nothing and is said. */
import { rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { projectYaml, type Scratch, scratch } from "./scratch.ts";

const long = { description: "[test: steady]", tasks: 50 };

/** Waits for an Event of this reason whose message names all of `words`. */
function event(here: Scratch, reason: string, ...words: string[]): Promise<string> {
  return here.until(`an Event ${reason} that names ${words.join(", ")}`, async () => {
    const { items } = await here.client.list("Event");
    return items
      .filter((found) => found.reason === reason)
      .map(({ message }) => message ?? "")
      .find((message) => words.every((word) => message.includes(word)));
  });
}

test("edits count while it runs; invalid and truncated ones change nothing and say where; every byte else is kept", async () => {
  const here = scratch({ projects: { keeper: { description: "[test: steady]", tasks: 50 } } });
  const operator = here.rehearse();
  await here.phase("keeper", "Working");

  // Refused by the schema: named by file, line and field.
  const pools = here.read("pools.yaml");
  here.write("pools.yaml", pools.replace("replicas: 1 #", "replicas: 11 #"));
  await event(here, "EditRejected", "pools.yaml:8", "replicas");
  expect((await here.object("AgentPool", "crew")).spec.replicas).toBe(1);
  // Cut in the middle, as by a full disk: neither half an object nor a deletion.
  const half = pools.slice(0, pools.indexOf("role: Review"));
  here.write("pools.yaml", `${half}role: "Rev`);
  await event(here, "InvalidFile", "pools.yaml");
  here.write("pools.yaml", "");
  await event(here, "InvalidFile", "pools.yaml", "empty");
  expect((await here.client.list("AgentPool")).items).toHaveLength(2);
  here.write("pools.yaml", pools);

  // A command's write keeps comments and order, byte for byte.
  await here.until("a file in force again", async () => {
    const { exitCode } = await here.bosun("scale", "crew", "2");
    return exitCode === 0 && here.read("pools.yaml").includes("replicas: 2");
  });
  expect(here.read("pools.yaml")).toBe(pools.replace("replicas: 1 #", "replicas: 2 #"));
  expect(operator.output()).toContain("pools.yaml");

  // A new file is claimed.
  here.write("projects/new.yaml", projectYaml("new"));
  await here.phase("new", "Done");
  operator.signal("SIGINT");
  expect(await operator.exited).toBe(0);
});

test("a deleted Project's file deletes it after five seconds, frees the agent and keeps the branch", async () => {
  const here = scratch({
    projects: { gone: long, stays: { description: "[test: steady]", tasks: 2 } },
  });
  const operator = here.rehearse();
  await here.until("a commit in work", async () => {
    const agent = await here.find("Agent", "agent-1");
    return agent?.status?.state === "Working" && agent.status.project === "gone";
  });
  await here.until("some work", async () => {
    const id = (await here.agent("agent-1")).status?.session?.id ?? "";
    return (sessionFolder(here.workspace.sessions, id).readReport()?.tasksDone.length ?? 0) > 1;
  });
  const startMs = performance.now();
  rmSync(path.join(here.workspace.path, "projects/gone.yaml"));
  await here.until("no such Project", async () => (await here.find("Project", "gone")) === undefined);
  expect(performance.now() - startMs).toBeGreaterThan(4_500);

  expect(here.git("log", "--format=%s", "agent-1/project-1")).toContain("Write T-1");
  await here.phase("stays", "Done");
  expect(here.git("log", "--format=%s", "rehearsal/main")).not.toContain("Write T-3");
  await operator.end();
  expect(await here.left()).toEqual([]);
});
