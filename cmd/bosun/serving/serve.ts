import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { tokenAuthenticator } from "../../../pkg/apiserver/auth/authenticate.ts";
import { kubeconfig } from "../../../pkg/apiserver/kubeconfig.ts";
import { createSecureServer, endServer } from "../../../pkg/apiserver/secure-server.ts";
import type { Api } from "../../../pkg/apiserver/server.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { nodeFileSystem as fs } from "../../../pkg/storage/node-file-system.ts";
import { replaceFile } from "../../../pkg/storage/replace-file.ts";
import { type Credentials, keepCredentials } from "./credentials.ts";

export interface ServeOptions {
  readonly api: Api;
  /** Certificates and tokens are kept there. */
  readonly folder: string;
  readonly host: string;
  listen(server: Server): Promise<void>;
  /** Of the kubeconfig's context, its cluster and its user. */
  readonly name: string;
  /** Where the kubeconfig goes; one with the read-only token goes beside it, as `FILE-read-only`. */
  readonly kubeconfig: string;
  readonly clock: Clock;
  /** Told why a certificate could not be renewed; the next day it is tried again. */
  onError(error: unknown): void;
}

export interface Serving {
  /** `https://127.0.0.1:26543` */
  readonly url: string;
  /** Ends watches, lets requests finish for a moment, and closes. */
  close(): Promise<void>;
}

/** How long requests may go on when the server ends, in milliseconds. */
const graceMs = 2_000;
/** How often certificates are looked at, in milliseconds. */
const renewalMs = 86_400_000;

/** Serves the Kubernetes API over HTTPS and writes how to reach it. */
export async function serve({ api, folder, host, clock, ...options }: ServeOptions): Promise<Serving> {
  let credentials = await keepCredentials(folder, host, clock.now());
  let authenticate = tokenAuthenticator(credentials.tokens);
  const server = createSecureServer({
    api,
    certified: credentials.server,
    authenticate: (authorization) => authenticate(authorization),
    host,
  });
  await options.listen(server);
  const { port } = server.address() as AddressInfo;
  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  await writeKubeconfigs(credentials);
  const ended = new AbortController();
  const renewing = renew();
  return {
    url,
    async close() {
      ended.abort();
      api.drain();
      await endServer(server, graceMs);
      // Whoever closes may take the folder away.
      await renewing;
    },
  };

  async function writeKubeconfigs({ authority, tokens }: Credentials): Promise<void> {
    const { name, kubeconfig: file } = options;
    const of = { server: url, authority: authority.certificate };
    await write(file, kubeconfig({ ...of, name, token: tokens.admin }));
    await write(`${file}-read-only`, kubeconfig({ ...of, name: `${name}-read-only`, token: tokens.reader }));
  }

  /** A server may run for longer than its certificate. */
  async function renew(): Promise<void> {
    while (!ended.signal.aborted) {
      // The only rejection is the abort.
      await clock.sleep(renewalMs, ended.signal).catch(() => {});
      if (!ended.signal.aborted) await takeRenewed().catch(options.onError);
    }
  }

  async function takeRenewed(): Promise<void> {
    const next = await keepCredentials(folder, host, clock.now());
    if (isDeepStrictEqual(next, credentials)) return;
    credentials = next;
    authenticate = tokenAuthenticator(next.tokens);
    server.setSecureContext({ cert: next.server.certificate, key: next.server.key });
    await writeKubeconfigs(next);
  }
}

async function write(file: string, text: string): Promise<void> {
  await fs.makeDirectory(path.dirname(file), 0o700);
  await replaceFile(fs, file, [Buffer.from(text)], 0o600);
}
