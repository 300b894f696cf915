/** A client of any API server, for tests and benchmarks: node:https with connections that are kept. */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import type { Access } from "../../pkg/cluster/access.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Stream {
  /** Resolves when nothing more comes: the server ended it, or died, or `close` was called. */
  readonly ended: Promise<void>;
  close(): void;
}

export interface Api {
  send(method: string, path: string, body?: unknown, type?: string): Promise<Answer>;
  /** Calls `see` with each line as it comes. Resolves when the watch is open. */
  watch(path: string, see: (line: string) => void): Promise<Stream>;
  close(): void;
}

export interface Credentials {
  readonly server: string;
  readonly token: string | undefined;
  readonly ca: string | undefined;
}

/** What the current context of a kubeconfig file says. */
export function readKubeconfig(file: string): Credentials {
  const { clusters, users } = parse(readFileSync(file, "utf8"));
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  return {
    server,
    token: users?.[0]?.user?.token,
    ca: ca === undefined ? undefined : Buffer.from(ca, "base64").toString("utf8"),
  };
}

export function connect(to: Credentials): Api {
  const isTls = to.server.startsWith("https:");
  // Whoever is measured against may have a certificate of its own making.
  const trust = to.ca === undefined ? { rejectUnauthorized: false } : { ca: to.ca };
  const transport = isTls ? https : http;
  const agent = new transport.Agent({ keepAlive: true, maxSockets: 256, ...(isTls ? trust : {}) });
  const headers = to.token === undefined ? {} : { authorization: `Bearer ${to.token}` };
  return connectTo({
    server: to.server,
    options: async () => ({ agent, headers }),
    renew() {
      // A token that is written down has no newer one.
    },
    close: () => agent.destroy(),
  });
}

/** As `connect`, for whatever a kubeconfig can say: certificates, plugins, a context that is not its current one. */
export function connectTo(access: Access): Api {
  const transport = access.server.startsWith("https:") ? https : http;
  const open = async (
    method: string,
    path: string,
    { text, type }: { text?: string; type?: string } = {},
  ): Promise<http.IncomingMessage & { request: http.ClientRequest }> => {
    const { agent, headers } = await access.options();
    const sent =
      text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) };
    return await new Promise((resolve, reject) => {
      const request = transport.request(
        `${access.server}${path}`,
        {
          method,
          agent,
          headers: { accept: "application/json", "user-agent": "bench/1", ...headers, ...sent },
        },
        (response) => resolve(Object.assign(response, { request })),
      );
      request.on("error", reject);
      request.end(text);
    });
  };

  return {
    async send(method, path, body, type = "application/json") {
      const response = await open(
        method,
        path,
        body === undefined ? {} : { text: JSON.stringify(body), type },
      );
      return { status: response.statusCode ?? 0, text: await text(response) };
    },
    async watch(path, see) {
      const response = await open("GET", path);
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) see(line);
      });
      const ended = new Promise<void>((resolve) => response.once("close", resolve));
      // A stream that is cut ends too.
      response.on("error", () => {});
      return { ended, close: () => response.request.destroy() };
    },
    close: () => access.close(),
  };
}
