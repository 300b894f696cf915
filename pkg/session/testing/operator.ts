/** An operator that does nothing but start one session, and ends by SIGKILL as soon as its host is there. */
import { systemFailpoints } from "../../system/failpoint.ts";
import { systemClock, systemIds } from "../../system/system.ts";
import { openSessions, type SessionsOptions } from "../manager.ts";
import type { SessionSpec } from "../sessions.ts";

export interface OperatorOrder {
  options: Pick<
    SessionsOptions,
    "directory" | "sessionFilesDirectory" | "stopLatch" | "places" | "containment" | "spares"
  >;
  url: string;
  spec: SessionSpec;
}

const { options, url, spec } = JSON.parse(process.argv[2] ?? "") as OperatorOrder;
const sessions = await openSessions({
  ...options,
  money: { admit: async () => ({ url, token: "token" }), dismiss: async () => undefined },
  clock: systemClock,
  ids: systemIds,
  failpoints: systemFailpoints("host-started"),
});
// Under the id of a host that waits, where one does.
await sessions.start({ ...spec, id: sessions.spareId() ?? spec.id });
