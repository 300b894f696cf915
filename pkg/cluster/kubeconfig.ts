/** Access to the cluster that a kubeconfig names, by `@kubernetes/client-node`. */
import http from "node:http";
import https, { type AgentOptions, type RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { TerminalError } from "../runtime/errors.ts";
import type { Access } from "./access.ts";
import { loadAsKubectl } from "./load-kubeconfig.ts";

export interface ClusterChoice {
  /** The kubeconfig file; absent: as kubectl finds it, `KUBECONFIG` with its list of files or `~/.kube/config`. */
  file?: string;
  /** A context of it; absent: its current one. */
  context?: string;
}

export interface ChosenCluster {
  access: Access;
  /** The context's name. */
  context: string;
  /** The namespace that the context names; undefined where it names none. */
  namespace: string | undefined;
}

/**
 * Reads the kubeconfig. Certificates, tokens, token files, exec plugins, OIDC and proxies are what the library makes
 * of them; files are read again when the server refuses what they said.
 *
 * @throws TerminalError that names the file and the context when one of them is missing or can't be used
 */
export async function readCluster({ file, context }: ClusterChoice): Promise<ChosenCluster> {
  // Loaded here alone: file mode must not pay for it.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const load = (): KubeConfig => {
    const config = loadAsKubectl(KubeConfig, file);
    if (context !== undefined) config.setCurrentContext(context);
    return config;
  };
  const config = loadOrExplain(load, file);
  const name = config.getCurrentContext();
  const chosen = config.getContextObject(name);
  const cluster = config.getCurrentCluster();
  if (chosen === null || cluster === null) {
    const known = config.getContexts().map((one) => one.name);
    throw new TerminalError(
      "NoSuchContext",
      `${named(file)} has no usable context "${name ?? ""}". It has: ${known.join(", ") || "none"}. Name one with --context.`,
    );
  }
  const server = cluster.server.replace(/\/+$/, "");
  if (!/^https?:\/\//.test(server))
    throw new TerminalError(
      "InvalidServer",
      `The server of context "${name}" in ${named(file)} must be an http or https address, not "${cluster.server}".`,
    );
  return {
    access: keepAccess(config, load, { server, proxied: cluster.proxyUrl !== undefined }),
    context: name,
    namespace: chosen.namespace,
  };
}

function keepAccess(
  first: KubeConfig,
  load: () => KubeConfig,
  { server, proxied }: { server: string; proxied: boolean },
): Access {
  let config = first;
  let stale = false;
  let kept: { identity: string; agent: http.Agent } | undefined;

  const agentFor = (options: RequestOptions): http.Agent | undefined => {
    // Through a proxy the library's own agent goes: it knows how.
    if (proxied) return options.agent as http.Agent;
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }).filter(
        ([, value]) => value !== undefined,
      ),
    ) as AgentOptions;
    const identity = JSON.stringify(tls, (_, value) => (value instanceof Buffer ? value.toString() : value));
    if (kept?.identity !== identity) {
      // Requests under way keep their connection to the end.
      kept?.agent.destroy();
      const transport = server.startsWith("https:") ? https : http;
      kept = { identity, agent: new transport.Agent({ keepAlive: true, keepAliveMsecs: 30_000, ...tls }) };
    }
    return kept.agent;
  };

  return {
    server,
    async options() {
      const options: RequestOptions = {};
      if (stale) config = load();
      stale = false;
      await config.applyToHTTPSOptions(options);
      const { headers = {}, auth } = options;
      const basic = typeof auth === "string" ? Buffer.from(auth).toString("base64") : undefined;
      const agent = agentFor(options);
      return {
        ...(agent === undefined ? {} : { agent }),
        headers: { ...headers, ...(basic === undefined ? {} : { Authorization: `Basic ${basic}` }) },
      };
    },
    renew() {
      stale = true;
    },
    close() {
      kept?.agent.destroy();
    },
  };
}

function loadOrExplain(load: () => KubeConfig, file: string | undefined): KubeConfig {
  try {
    return load();
  } catch (cause) {
    throw new TerminalError("InvalidKubeconfig", `${named(file)} can't be used: ${textOf(cause)}`, { cause });
  }
}

function named(file: string | undefined): string {
  return file ?? "The kubeconfig (KUBECONFIG, else ~/.kube/config)";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}
