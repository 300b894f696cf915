/** Removes what nobody needs any more, so that a workspace does not grow for ever; docs/design.md says what and why. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { readLedger } from "../../../pkg/gateway/ledger-file.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { removeOldCompiled } from "../../../pkg/system/compile-cache.ts";
import { ledgerFile, type WorkspaceFolder } from "../workspace-folder.ts";
import type { FollowOptions } from "./follow-objects.ts";
import {
  keptMs,
  type Needs,
  newestOfEach,
  owingSessions,
  recordedSessions,
  whyKept,
} from "./old-sessions.ts";

export interface ForgetOptions extends FollowOptions {
  folder: Pick<WorkspaceFolder, "operator" | "sessions">;
  /** Asked right before something is removed. */
  isHeld(): boolean;
}

/** After a start, in milliseconds: a person waits for other things then. */
const firstLookMs = 60_000;
/** Between two looks, in milliseconds. */
const periodMs = 24 * 60 * 60 * 1000;

/** Looks a minute after the start, then once a day. Abort the answer to end it. */
export function forgetOld(options: ForgetOptions): AbortController {
  const { clock, logger } = options;
  const ending = new AbortController();
  const { signal } = ending;
  void (async () => {
    for (let ms = firstLookMs; !signal.aborted; ms = periodMs) {
      await clock.sleep(ms, signal).catch(() => undefined); // Ended.
      if (signal.aborted) return;
      await removeOldCompiled(clock.now() - keptMs);
      await forgetOldSessions(options).catch((error: unknown) =>
        logger.warn("Folders of old sessions could not be removed", { error }),
      );
    }
  })();
  return ending;
}

/** Whatever is not certain (an object that can't be listed, a ledger that can't be read) keeps all of them. */
export async function forgetOldSessions({
  client,
  namespace,
  folder,
  clock,
  logger,
  isHeld,
}: ForgetOptions): Promise<void> {
  const nowMs = clock.now();
  const sessions = recordedSessions(folder.sessions);
  const old = sessions.filter(({ lastMs }) => nowMs - lastMs >= keptMs);
  // Before a ledger is read, which may be long.
  if (old.length === 0) return;
  const needs: Needs = {
    ...(await objectsNow(client, namespace)),
    owing: await owingNow(folder),
    newest: newestOfEach(sessions),
    nowMs,
  };
  const forgotten = old.filter((session) => whyKept(session, needs) === undefined);
  for (const session of forgotten) {
    if (!isHeld()) return;
    await rm(session.path, { recursive: true, force: true });
  }
  if (forgotten.length > 0)
    logger.info("Folders of old sessions were removed", { sessions: forgotten.length });
}

async function objectsNow(
  client: Client,
  namespace: string,
): Promise<Pick<Needs, "projects" | "reviews" | "agents" | "escalations">> {
  const [projects, reviews, agents, escalations] = await Promise.all([
    client.list("Project", { namespace }),
    client.list("Review", { namespace }),
    client.list("Agent", { namespace }),
    client.list("Escalation", { namespace }),
  ]);
  return {
    projects: projects.items,
    reviews: reviews.items,
    agents: agents.items,
    escalations: escalations.items,
  };
}

/** @throws Error when what sessions have asked for is not known */
async function owingNow(folder: Pick<WorkspaceFolder, "operator">): Promise<ReadonlySet<string>> {
  const files = [false, true]
    .map((rehearsal) => ledgerFile(folder, rehearsal))
    .filter((file) => existsSync(file));
  if (files.length === 0) throw new Error(`There are sessions in ${folder.operator}, and no ledger.`);
  const read = await Promise.all(files.map((file) => readLedger(nodeFileSystem, file)));
  return owingSessions(read.map(({ state }) => state));
}
