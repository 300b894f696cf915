/** A client of any API server, for tests and benchmarks: node:https with connections that are kept. */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { parse } from "yaml";

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
  const base = new URL(to.server);
  const transport = base.protocol === "https:" ? https : http;
  // Whoever is measured against may have a certificate of its own making.
  const trust = to.ca === undefined ? { rejectUnauthorized: false } : { ca: to.ca };
  const options = base.protocol === "https:" ? trust : {};
  const agent = new transport.Agent({ keepAlive: true, maxSockets: 256, ...options });
  const headers = {
    accept: "application/json",
    "user-agent": "bench/1",
    ...(to.token === undefined ? {} : { authorization: `Bearer ${to.token}` }),
  };
  const target = { protocol: base.protocol, hostname: base.hostname, port: base.port };

  return {
    send(method, path, body, type = "application/json") {
      return new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const sent =
          text === undefined
            ? headers
            : { ...headers, "content-type": type, "content-length": Buffer.byteLength(text) };
        const request = transport.request({ ...target, agent, method, path, headers: sent }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
          );
          response.on("error", reject);
        });
        request.on("error", reject);
        request.end(text);
      });
    },
    watch(path, see) {
      return new Promise((resolve, reject) => {
        const request = transport.request(
          { ...target, ...options, agent: false, path, headers },
          (response) => {
            let rest = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => {
              const lines = (rest + chunk).split("\n");
              rest = lines.pop() ?? "";
              for (const line of lines) see(line);
            });
            const ended = new Promise<void>((resolveEnd) => response.once("close", resolveEnd));
            // A stream that is cut ends too.
            response.on("error", () => {});
            resolve({ ended, close: () => request.destroy() });
          },
        );
        request.on("error", reject);
        request.end();
      });
    },
    close: () => agent.destroy(),
  };
}
