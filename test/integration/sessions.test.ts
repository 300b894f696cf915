import { afterEach } from "vitest";
import { openStage } from "../../pkg/session/testing/stage.ts";
import { openUpstream } from "../../pkg/session/testing/upstream.ts";
import { type SessionsWorld, sessionsContract } from "../contracts/sessions.contract.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

sessionsContract("A host process for each session", async (): Promise<SessionsWorld> => {
  let finishing = false;
  const evidence = [{ criterion: "AC-1", evidence: "readme.txt" }];
  const upstream = await openUpstream(() =>
    finishing
      ? { call: "request_review", input: { summary: "Done.", evidence } }
      : { call: "bash", input: { command: "sleep 0.05" } },
  );
  opened.push(upstream);
  const stage = await openStage(upstream);
  opened.push(stage);
  return {
    sessions: stage.sessions,
    spec: () => stage.spec({ maxTurns: 10_000 }),
    finish: () => {
      finishing = true;
    },
    until: stage.until,
  };
});
