/**
 * Measures the API server from one client process: durable writes of 1.2 KB objects of a CRD with schema and CEL.
 *
 *     npm run bench:apiserver                             ours, beside what a kube-apiserver did on such a machine
 *     npm run bench:apiserver -- --against URL --token T  ours and another server in one run, as ratios
 *     npm run bench:apiserver -- --quick                  a tenth of the work
 */
import { parseArgs } from "node:util";
import { whenInterrupted } from "../support/interrupted.ts";
import { run } from "./apiserver/run.ts";
import { table } from "./apiserver/table.ts";
import { otherServer, ownServer } from "./apiserver/target.ts";

const { values } = parseArgs({
  options: {
    against: { type: "string" },
    token: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});

const target = await ownServer();
whenInterrupted(() => target.close());
const own = await run(target, values);
const other =
  values.against === undefined
    ? undefined
    : await run(await otherServer(values.against, values.token), values);
for (const line of table(own, other)) console.log(line);
