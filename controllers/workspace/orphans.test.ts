import { expect, test } from "vitest";
import type { Deps } from "../deps.ts";
import { aClaim, aProject, aWorkspace } from "../testing/objects.ts";
import { endOrphans } from "./orphans.ts";

test("a session that is begun while the sessions of nobody are sought is somebody's, and one that can't be seen is left and told of", async () => {
  const unseen = ["unseen", "named"].map((id) => ({ id, agent: undefined, pid: undefined }));
  const running = [...unseen, { id: "of-nobody", agent: "agent-2", pid: 2 }];
  const projects = [aProject(), aProject({ claim: aClaim({ session: "named" }) })];
  const ended: string[] = [];
  const told: string[] = [];
  const world = {
    namespace: "default",
    client: {
      async list(kind: string) {
        const items = kind === "Project" ? [...projects] : [];
        // In the moment after this look.
        projects[0] = aProject({ claim: aClaim({ session: "begun" }) });
        if (running.length === 3) running.push({ id: "begun", agent: "agent-1", pid: 1 });
        return { items };
      },
    },
    sessions: {
      running: async () => [...running],
      stop: async (id: string, how: string) => void ended.push(`${id} ${how}`),
      find: async (id: string) => ({ is: "unknown", why: `${id}/host.json is damaged.` }),
    },
    events: { event: (_: unknown, ...words: string[]) => void told.push(words.join(": ")) },
  };
  await endOrphans(aWorkspace(), world as unknown as Deps);
  expect(ended).toEqual(["of-nobody Now"]);
  expect(told).toEqual([
    "Warning: SessionUnknown: Session unseen can't be seen: unseen/host.json is damaged.",
    expect.stringMatching(/^Warning: ClaimLost: Session of-nobody /),
  ]);
});
