import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { type Failpoints, noFailpoints } from "../../runtime/failpoints.ts";
import { systemIds, systemRandom } from "../../system/system.ts";
import { waitedTime } from "../../system/testing/waited-time.ts";
import { Gateway } from "../gateway.ts";
import type { TestUpstream } from "./upstream.ts";

/** A gateway with its ledger in `folder`, before `upstream`. What it would log or end with is thrown. */
export async function startTestGateway({
  folder,
  upstream,
  // Nobody renews its lease, which has to last as long as a test.
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
