import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { type Failpoints, noFailpoints } from "../../runtime/failpoints.ts";
import { systemClock, systemIds, systemRandom } from "../../system/system.ts";
import { Gateway } from "../gateway.ts";
import type { TestUpstream } from "./upstream.ts";

/** What is waited for passes, and nothing else: on a starved machine the lease, which nobody renews, ran out in the middle of a test. */
function waitedTime(): Clock {
  let waitedMs = 0;
  return {
    ...systemClock,
    elapsed: () => waitedMs,
    async sleep(ms, signal) {
      await systemClock.sleep(ms, signal);
      waitedMs += ms;
    },
  };
}

/** A gateway with its ledger in `folder`, before `upstream`. What it would log or end with is thrown. */
export async function startTestGateway({
  folder,
  upstream,
  clock = waitedTime(),
  failpoints = noFailpoints,
}: {
  folder: string;
  upstream: TestUpstream;
  clock?: Clock;
  failpoints?: Failpoints;
}): Promise<Gateway> {
  const fail = (error: unknown): void => {
    throw error;
  };
  return await Gateway.start(
    {
      ledgerDirectory: folder,
      stateDirectory: join(folder, "state"),
      upstream: { baseUrl: upstream.url, credential: { apiKey: "k" } },
      admitted: [],
    },
    { clock, random: systemRandom, ids: systemIds, failpoints, log: fail, ledgerFailed: fail },
  );
}
