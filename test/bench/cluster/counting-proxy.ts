/** A process between a kit and the server, which counts requests: `node counting-proxy.ts KUBECONFIG CONTEXT`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { passOn } from "../../../pkg/cluster/pass-on.ts";

const [, , file = "", context = ""] = process.argv;
const { access } = await readCluster({ file, ...(context === "" ? {} : { context }) });
const forward = passOn(access);
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  forward(request, response);
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => process.send?.({ requests }));
process.on("disconnect", () => process.exit());
