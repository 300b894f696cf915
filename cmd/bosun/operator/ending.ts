/** How an operator ends what it runs: sessions first, then what they made is kept, then the last word on money. */
import { tellBudgets } from "../../../controllers/budget/tell.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { DamagedFile } from "../../../pkg/session/session-folder.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";
import { keepSessions } from "../stop/keep-work.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Acting } from "./acting.ts";
import { allEnded } from "./all-ended.ts";
import type { StopFollower } from "./follow-stop.ts";
import { type Start, thenTakeBack } from "./start.ts";
import type { WorkspaceSettings } from "./workspace-settings.ts";
import type { World } from "./world.ts";

export interface Ending {
  /** Lets the sessions end their running turn and saves, then ends everything. Resolves when nothing runs. */
  drain(): Promise<void>;
  /** Ends every session now; their work is kept. Resolves when nothing runs. */
  stop(): Promise<void>;
}

export interface SessionEndOptions {
  folder: WorkspaceFolder;
  world: World;
  settings: WorkspaceSettings;
  clock: Clock;
  logger: Logger;
}

export interface EndingOptions extends SessionEndOptions {
  acting: Acting;
  client: Client;
  /** Of the workspace. */
  namespace: string;
  undo: Start["undo"];
}

type How = "AfterTurn" | "Now";

/** How often is looked whether sessions still run, in milliseconds. */
const lookMs = 100;
/** What keeps sessions from being asked for so long, in milliseconds, does not pass by itself. */
const askMs: Record<How, number> = { AfterTurn: 30_000, Now: 2_000 };

/** Of one operator: it ends once, however often and in whichever ways it is asked to. */
export function endingOf(options: EndingOptions): Ending {
  let how: How = "AfterTurn";
  let ended: Promise<void> | undefined;
  const drain = (): Promise<void> => {
    ended ??= end(options, () => how);
    return ended;
  };
  return {
    drain,
    stop() {
      how = "Now";
      return drain();
    },
  };
}

/** At an emergency stop, also one that is in force already: sees every session end, and keeps their work. */
export function keepAtStop(stop: StopFollower, options: SessionEndOptions): void {
  const { world, clock, logger } = options;
  const keepStopped = (): void => {
    endSessions(world.sessions, () => "Now", clock)
      .catch((error: unknown) => logger.warn("Not all sessions could be ended", { error }))
      .then(() => keepWork(options))
      .catch((error: unknown) => logger.warn("Work is kept in its checkouts alone", { error }));
  };
  stop.follow(keepStopped, () => undefined);
  if (stop.inForce()) keepStopped();
}

async function end(options: EndingOptions, how: () => How): Promise<void> {
  const { acting, world, client, namespace, clock, logger, undo } = options;
  // First the controllers: nothing is claimed or started any more.
  await acting.stop();
  let warned: string | undefined;
  const unended = await endSessions(world.sessions, how, clock, (error) => {
    if (warned === String(error)) return;
    warned = String(error);
    logger.warn("A session could not be ended, and is asked again", { error });
  }).then(
    () => undefined,
    (error: Error) => {
      logger.warn("Not all sessions could be ended", { error });
      return error;
    },
  );
  // Who is in a hurry has it in the checkouts.
  if (how() === "AfterTurn")
    await keepWork(options).catch((error: unknown) =>
      logger.warn("Work is kept in its checkouts alone", { error }),
    );
  // What was merged at the last moment is seen on the branch that follows.
  await world.repository
    .syncTarget()
    .catch((error: unknown) => logger.warn("The target's branch could not follow", { error }));
  // Then the last word on money: what was spent since a Budget was last told is in no status yet.
  await tellBudgets({ client, money: world.gateway, namespace }).catch((error: unknown) =>
    logger.warn("Budgets could not be told what was spent", { error }),
  );
  await thenTakeBack(
    undo,
    () => world.gateway.stop(),
    (error) => logger.warn("A part of the operator could not be ended", { error }),
  );
  if (unended !== undefined)
    throw new UserError(
      `Not all sessions could be ended (${unended.message}). What goes on spends nothing more, and the next \`bosun up\` finds it; ` +
        "`bosun stop --emergency` ends it now.",
    );
}

/**
 * Asks or ends every session, and waits until none is left; a second Ctrl-C may change `how` meanwhile.
 *
 * @param failed - told why some could not be asked, on a full disk say: they are asked again then. Absent: it is thrown
 * @throws what still keeps some from being asked after `askMs`, or for as long as nobody mends a file, once all others have
 *   ended
 */
async function endSessions(
  sessions: Sessions,
  how: () => How,
  clock: Clock,
  failed?: (error: unknown) => void,
): Promise<void> {
  let failsSinceMs: number | undefined;
  for (;;) {
    let othersGoOn = false;
    let mayPass = true;
    try {
      const running = await sessions.running();
      if (running.length === 0) return;
      const asked = running.map(({ id }) => sessions.stop(id, how()));
      const answers = await Promise.allSettled(asked);
      othersGoOn = answers.some(({ status }) => status === "fulfilled");
      mayPass = !answers.every(
        (answer) => answer.status === "rejected" && answer.reason instanceof DamagedFile,
      );
      await allEnded(...asked);
      failsSinceMs = undefined;
    } catch (error) {
      if (failed === undefined || !mayPass) throw error;
      failed(error);
      failsSinceMs ??= clock.elapsed();
      if (!othersGoOn && clock.elapsed() - failsSinceMs >= askMs[how()]) throw error;
    }
    await clock.sleep(lookMs);
  }
}

async function keepWork({ folder, world, settings, logger }: SessionEndOptions): Promise<void> {
  const { repository, sessions } = world;
  const { commits } = settings.spec;
  const isGone = async (id: string): Promise<boolean> => (await sessions.find(id)).is === "absent";
  const { problems } = await keepSessions({ sessions: folder.sessions, repository, commits, isGone });
  for (const problem of problems) logger.warn("Work is kept in its checkout alone", { problem });
}
