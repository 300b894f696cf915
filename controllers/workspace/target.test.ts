import { expect, test } from "vitest";
import type { Seen } from "../../pkg/git/repository.ts";
import { TestClock } from "../../pkg/runtime/testing/clock.ts";
import type { Deps } from "../deps.ts";
import { aWorkspace } from "../testing/objects.ts";
import { watchedTarget } from "./target.ts";

test("a target that moves while it is looked at is looked at again, and not taken for what it was", async () => {
  let commit = "before";
  let moved = (): void => {};
  let whileAsked = (): void => {};
  const deps = {
    clock: new TestClock(),
    repository: {
      async target(): Promise<Seen<string>> {
        const value = commit;
        whileAsked();
        return { is: "present", value };
      },
      subscribe(wake: () => void) {
        moved = wake;
      },
    },
    quality: {
      checks: async () => ({ is: "done", passed: true, results: [] }),
      subscribe: () => undefined,
    },
  } as unknown as Deps;
  const watched = watchedTarget(deps);
  watched.subscribe(() => undefined, new AbortController().signal);
  whileAsked = () => {
    commit = "after";
    moved();
  };
  expect((await watched.look(aWorkspace())).target).toEqual({ is: "present", value: "before" });
  whileAsked = () => undefined;
  expect((await watched.look(aWorkspace())).target).toEqual({ is: "present", value: "after" });
  // What no signal speaks of is not asked for again.
  commit = "unheard of";
  expect((await watched.look(aWorkspace())).target).toEqual({ is: "present", value: "after" });
});
